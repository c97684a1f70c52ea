// Everything mounted in a container, in order: what every program expects, then the user's and the image's, then what
// names the network.

import { posix } from 'node:path'
import type { LayerStack } from '../images/layer-stack.ts'
import type { Mount } from '../runtime/spec.ts'
import { MinictrError } from '../system/error.ts'
import type { HostFiles } from './host-files.ts'
import type { IdMappings } from './id-mapping.ts'
import type { BindMount, MountOption, RunOptions, TmpfsMount } from './options.ts'
import { checkPropagation } from './propagation.ts'
import { type NewDirectory, volumeMount } from './volumes.ts'

const DEFAULT_SHM_BYTES = 64 * 1024 ** 2

export type MountRequest = {
  options: Pick<
    RunOptions,
    'mounts' | 'privileged' | 'isRootReadOnly' | 'namespaces' | 'network' | 'shmSizeBytes'
  >
  /** Mount points the image declares (VOLUME). */
  imageVolumes: string[]
  image: LayerStack
  /** The container's own directory. */
  directory: string
  /** Where hosts, hostname and resolv.conf are: the container's own directory, or that of the one whose network it joins. */
  networkDirectory: string
  /** The host's directory to be seen as /dev/shm, where that is not the container's alone. */
  sharedMemory?: string
  mappings?: IdMappings
  host: HostFiles
}

export type ChosenMounts = { mounts: Mount[]; directories: NewDirectory[] }

/**
 * The mounts of the OCI configuration and the directories that must be made for them. A mount of the user's replaces a
 * default one with the same mount point; shallow mount points come first, so that none hides a deeper one. Throws
 * MinictrError for a bind mount of `--mount` whose source is missing. Source: moby, oci/defaults.go and
 * daemon/oci_linux.go (WithMounts).
 */
export function chooseMounts(request: MountRequest): ChosenMounts {
  const directories: NewDirectory[] = []
  const asked = allMounts(request).map(mount => specMount(mount, request, directories))
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
    exitStatus: 125,
  })
}

function byDepth(a: Mount, b: Mount): number {
  return depthOf(a) - depthOf(b)
}

function depthOf({ destination }: Mount): number {
  return destination.split('/').length
}

/** The user's mounts, and the image's volumes at places where the user has none. */
function allMounts({ options, imageVolumes }: MountRequest): MountOption[] {
  const taken = new Set(options.mounts.map(({ target }) => target))
  const volumes = imageVolumes
    .map(path => posix.resolve('/', path))
    .filter(target => !taken.has(target))
    .sort()
  if (volumes.includes('/')) {
    throw new MinictrError('the image declares a volume at /, which would hide all that is in it', {
      remedy: 'Ask its publisher to take that VOLUME out.',
      exitStatus: 125,
    })
  }
  return [
    ...options.mounts,
    ...volumes.map(target => ({ type: 'volume' as const, target, isReadOnly: false, copiesContent: true })),
  ]
}

function specMount(mount: MountOption, request: MountRequest, directories: NewDirectory[]): Mount {
  if (mount.type === 'tmpfs') return tmpfsMount(mount)
  if (mount.type === 'bind') {
    checkPropagation(mount, request.host)
    directories.push(...missingDirectories(mount, request.host))
    return bindMount(mount)
  }
  const volumes = `${request.directory}/volumes`
  if (!directories.some(({ path }) => path === volumes)) directories.push({ path: volumes, mode: 0o711 })
  const name = `${volumes}/${mount.target.slice(1).replaceAll('/', '-')}`
  let place = name
  for (let number = 2; directories.some(({ path }) => path === place); number++) place = `${name}-${number}`
  const made = volumeMount(mount, place, request.image, request.mappings)
  directories.push(...made.directories)
  return made.mount
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
    throw new MinictrError(
      `invalid mount config for type "bind": bind source path does not exist: ${source}`,
      {
        exitStatus: 125,
      },
    )
  }
  const missing: NewDirectory[] = []
  for (let path = source; path !== '/' && host.kindOf(path) === undefined; path = posix.dirname(path)) {
    missing.unshift({ path, mode: 0o755 })
  }
  return missing
}

function standardMounts({ options, sharedMemory }: MountRequest): Mount[] {
  const { privileged, namespaces, shmSizeBytes } = options
  const access = privileged ? [] : ['ro']
  const quiet = ['nosuid', 'noexec', 'nodev']
  const shm: Mount = {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: [...quiet, 'mode=1777', `size=${shmSizeBytes || DEFAULT_SHM_BYTES}`],
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
