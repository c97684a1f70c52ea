// Names of kernel constants and their numbers; only those that are the same on every architecture.

/** mount(2), <linux/mount.h>. */
export const mountFlags: Record<string, number> = {
  MS_RDONLY: 1,
  MS_NOSUID: 2,
  MS_NODEV: 4,
  MS_NOEXEC: 8,
  MS_SYNCHRONOUS: 16,
  MS_REMOUNT: 32,
  MS_DIRSYNC: 128,
  MS_NOSYMFOLLOW: 256,
  MS_NOATIME: 1024,
  MS_NODIRATIME: 2048,
  MS_BIND: 4096,
  MS_MOVE: 8192,
  MS_REC: 16384,
  MS_UNBINDABLE: 1 << 17,
  MS_PRIVATE: 1 << 18,
  MS_SLAVE: 1 << 19,
  MS_SHARED: 1 << 20,
  MS_RELATIME: 1 << 21,
  MS_STRICTATIME: 1 << 24,
}

/** umount(2). */
export const unmountFlags: Record<string, number> = { MNT_FORCE: 1, MNT_DETACH: 2, UMOUNT_NOFOLLOW: 8 }

/** mount_setattr(2), <linux/mount.h>. */
export const mountAttributes: Record<string, number> = {
  MOUNT_ATTR_RDONLY: 1,
  MOUNT_ATTR_NOSUID: 2,
  MOUNT_ATTR_NODEV: 4,
  MOUNT_ATTR_NOEXEC: 8,
  MOUNT_ATTR_NOATIME: 0x10,
  MOUNT_ATTR_STRICTATIME: 0x20,
  MOUNT_ATTR_NODIRATIME: 0x80,
  MOUNT_ATTR_NOSYMFOLLOW: 0x200000,
}

/** clone(2), <linux/sched.h>: the flag that makes, and enters, each kind of namespace. */
export const namespaceFlags: Record<string, number> = {
  mount: 0x00020000,
  cgroup: 0x02000000,
  uts: 0x04000000,
  ipc: 0x08000000,
  user: 0x10000000,
  pid: 0x20000000,
  net: 0x40000000,
  time: 0x00000080,
}

/** The flag's name as strace(1) prints it. */
export const namespaceFlagNames: Record<string, string> = {
  mount: 'CLONE_NEWNS',
  cgroup: 'CLONE_NEWCGROUP',
  uts: 'CLONE_NEWUTS',
  ipc: 'CLONE_NEWIPC',
  user: 'CLONE_NEWUSER',
  pid: 'CLONE_NEWPID',
  net: 'CLONE_NEWNET',
  time: 'CLONE_NEWTIME',
}

/** prctl(2), <linux/prctl.h>. */
export const prctlOptions: Record<string, number> = {
  PR_SET_PDEATHSIG: 1,
  PR_SET_DUMPABLE: 4,
  PR_SET_KEEPCAPS: 8,
  PR_SET_NO_NEW_PRIVS: 38,
}

/** getrlimit(2), <asm-generic/resource.h>. */
export const rlimitResources: Record<string, number> = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
}

/** seccomp(2), <linux/seccomp.h>. */
export const seccompFlags: Record<string, number> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
}

/** close_range(2). */
export const closeRangeFlags: Record<string, number> = { CLOSE_RANGE_UNSHARE: 2, CLOSE_RANGE_CLOEXEC: 4 }

/** The bits of a set of named flags. Throws where a name is unknown: a misspelt flag must never be left out. */
export function bits(names: string[], table: Record<string, number>): number {
  let sum = 0
  for (const name of names) {
    const value = table[name]
    if (value === undefined) throw new TypeError(`unknown kernel constant ${name}`)
    sum |= value
  }
  return sum
}
