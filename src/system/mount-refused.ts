// Why the kernel refuses a mount to root of a user namespace, who is root over nothing that other namespaces own.

/** File systems that were made to be mounted from a user namespace (FS_USERNS_MOUNT in the kernel's source). */
const mountable =
  'proc sysfs tmpfs ramfs devpts mqueue overlay cgroup cgroup2 fuse fuseblk bpf binfmt_misc'.split(' ')

/** Directories the kernel itself made to be mounted on: what covers them hides nothing. */
const places =
  '/proc/sys/fs/binfmt_misc /proc/fs/nfsd /sys/fs/cgroup /sys/fs/bpf /sys/fs/fuse/connections /sys/fs/pstore /sys/fs/selinux /sys/fs/smackfs /sys/fs/resctrl /sys/kernel/debug /sys/kernel/tracing /sys/kernel/security /sys/kernel/config /sys/firmware/efi/efivars'.split(
    ' ',
  )

/**
 * The likely cause of EPERM for a mount in a user namespace; undefined where none is known. `mountinfo` is the text of
 * /proc/self/mountinfo. Source: mount_namespaces(7), "Restrictions on mount namespaces"; mount_too_revealing in the
 * kernel's fs/namespace.c.
 */
export function mountRefusal(
  { type, flags }: { type?: unknown; flags?: unknown },
  mountinfo: string,
): string | undefined {
  if (Array.isArray(flags) && flags.includes('MS_REMOUNT')) {
    return 'a mount that comes from outside a user namespace keeps the flags it has there (ro, nosuid, nodev, noexec): none can be taken away inside.'
  }
  if (typeof type !== 'string' || type === '') return undefined
  if (!mountable.includes(type)) {
    return `${type} is none of the file systems that the kernel lets a user namespace mount: run without --userns-remap.`
  }
  const host = { proc: '/proc', sysfs: '/sys' }[type]
  const cover = host && coverOf(host, mountinfo)
  return cover
    ? `${cover} covers a part of ${host} on this host, and a user namespace may mount ${type} anew only where the host's is wholly visible.`
    : undefined
}

function coverOf(host: string, mountinfo: string): string | undefined {
  const points = mountinfo.split('\n').map(line => line.split(' ', 5)[4] ?? '')
  return points.find(
    point =>
      point.startsWith(`${host}/`) && !places.some(place => point === place || point.startsWith(`${place}/`)),
  )
}
