// Everything mounted in a container, in order: what every program expects, then the user's and the image's, then what
// names the network.

import { posix } from 'node:path'
import type { Mount } from '../runtime/spec.ts'
import { MinictrError } from '../system/error.ts'
import type { HostFiles } from './host-files.ts'
import type { NamedVolume, ResolvedMount } from './mount-points.ts'
import type { BindMount, RunOptions, TmpfsMount } from './options.ts'
import { checkPropagation } from './propagation.ts'

/** Of /dev/shm, where nobody says. */
export const DEFAULT_SHM_BYTES = 64 * 1024 ** 2

export type MountRequest = {
  options: Pick<RunOptions, 'privileged' | 'isRootReadOnly' | 'namespaces' | 'network' | 'shmSizeBytes'>
  /** The user's, those of other containers, and the image's volumes. */
  mounts: ResolvedMount[]
  /** Where hosts, hostname and resolv.conf are: the container's own directory, or that of the one whose network it joins. */
  networkDirectory: string
  /** The host's directory to be seen as /dev/shm, where that is not the container's alone. */
  sharedMemory?: string
  host: HostFiles
}

/** A directory to be made while the plan is performed. */
export type NewDirectory = { path: string; mode: number; uid?: number; gid?: number }

export type ChosenMounts = { mounts: Mount[]; directories: NewDirectory[] }

/**
 * The mounts of the OCI configuration and the directories that must be made for them. A mount of the user's replaces a
 * default one with the same mount point; shallow mount points come first, so that none hides a deeper one. Throws
 * MinictrError for a bind mount of `--mount` whose source is missing. Source: moby, oci/defaults.go and
 * daemon/oci_linux.go (WithMounts).
 */
export function chooseMounts(request: MountRequest): ChosenMounts {
  const directories: NewDirectory[] = []
  const asked = request.mounts.map(mount => specMount(mount, request.host, directories))
  for (const mount of asked) refuseInsideProc(mount)
  const targets = new Set(asked.map(({ destination }) => destination))
  const networkFiles = networkFileMounts(request).filter(({ destination }) => !targets.has(destination))
  const standard = standardMounts(request).filter(
    ({ destination }) =>
      !targets.has(destination) && !(targets.has('/dev') && destination.startsWith('/dev/')),
  )
  return { mounts: [...standard, ...[...asked, ...networkFiles].sort(byDepth)], directories }
}

/** Files of /proc that may be covered by others: they only tell something (runc, libcontainer/rootfs_linux.go). */
const coverable =
  'cpuinfo diskstats meminfo stat swaps uptime loadavg slabinfo net/dev sys/kernel/ns_last_pid sys/crypto/fips_enabled'
    .split(' ')
    .map(name => `/proc/${name}`)

/** The runtime itself, and every program, must find the kernel's own /proc there. */
function refuseInsideProc({ destination, type, source }: Mount): void {
  const isInside = destination === '/proc' || (destination.startsWith('/proc/') && type !== 'tmpfs')
  if (!isInside || coverable.includes(destination)) return
  throw new MinictrError(`${source ?? type} cannot be mounted at ${destination}: it is inside /proc`, {
    remedy: `Choose another place; of /proc only these may be covered: ${coverable.join(' ')}`,
  })
}

function byDepth(a: Mount, b: Mount): number {
  return depthOf(a) - depthOf(b)
}

function depthOf({ destination }: Mount): number {
  return destination.split('/').length
}

function specMount(mount: ResolvedMount, host: HostFiles, directories: NewDirectory[]): Mount {
  if (mount.type === 'tmpfs') return tmpfsMount(mount)
  if (mount.type === 'volume') return volumeMount(mount)
  checkPropagation(mount, host)
  directories.push(...missingDirectories(mount, host))
  return bindMount(mount)
}

function volumeMount({ target, isReadOnly, mount }: NamedVolume): Mount {
  const { type, source, options } = mount
  return { destination: target, type, source, options: [...options, ...(isReadOnly ? ['ro'] : [])] }
}

/** Read-only with all that is mounted below the source, as in Docker since version 25. */
function bindMount({ source, target, isReadOnly, isRecursive, propagation = 'rprivate' }: BindMount): Mount {
  const access = isReadOnly ? [isRecursive ? 'rro' : 'ro'] : []
  const options = [isRecursive ? 'rbind' : 'bind', ...access, propagation]
  return { destination: target, type: 'bind', source, options }
}

/** A later option of the user's takes its opposite among the first three away. */
function tmpfsMount({ target, isReadOnly, options }: TmpfsMount): Mount {
  const defaults = ['noexec', 'nosuid', 'nodev'].filter(option => !options.includes(option.slice(2)))
  const all = [
    ...defaults,
    ...options.filter(option => !defaults.includes(option)),
    ...(isReadOnly ? ['ro'] : []),
  ]
  return { destination: target, type: 'tmpfs', source: 'tmpfs', options: all }
}

/** `-v` makes a source that is missing, as Docker does, with all that is missing above it; `--mount` does not. */
function missingDirectories({ source, createsSource }: BindMount, host: HostFiles): NewDirectory[] {
  if (host.kindOf(source) !== undefined) return []
  if (!createsSource) {
    throw new MinictrError(`invalid mount config for type "bind": bind source path does not exist: ${source}`)
  }
  const missing: NewDirectory[] = []
  for (let path = source; path !== '/' && host.kindOf(path) === undefined; path = posix.dirname(path)) {
    missing.unshift({ path, mode: 0o755 })
  }
  return missing
}

/** The most bytes of /dev/shm. */
export function shmSizeBytes(options: Pick<RunOptions, 'shmSizeBytes'>): number {
  return options.shmSizeBytes || DEFAULT_SHM_BYTES
}

function standardMounts({ options, sharedMemory }: MountRequest): Mount[] {
  const { privileged, namespaces } = options
  const access = privileged ? [] : ['ro']
  const quiet = ['nosuid', 'noexec', 'nodev']
  const shm: Mount = {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: [...quiet, 'mode=1777', `size=${shmSizeBytes(options)}`],
  }
  const ownShm = namespaces.ipc === 'none' ? [] : [shm]
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: quiet },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...quiet, ...access] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...access, ...quiet] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: quiet },
    ...(sharedMemory === undefined
      ? ownShm
      : [{ destination: '/dev/shm', type: 'bind', source: sharedMemory, options: ['rbind', 'rprivate'] }]),
  ]
}

/** The files the plan writes before, or those of the container whose network is joined. */
function networkFileMounts({ options, networkDirectory }: MountRequest): Mount[] {
  const access = options.isRootReadOnly ? ['ro'] : []
  return ['resolv.conf', 'hostname', 'hosts'].map(name => ({
    destination: `/etc/${name}`,
    type: 'bind',
    source: `${networkDirectory}/${name}`,
    options: ['rbind', ...access, 'rprivate'],
  }))
}
