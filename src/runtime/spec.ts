// The OCI runtime specification's config.json: what the engine writes and the runtime turns into a plan.
// https://github.com/opencontainers/runtime-spec (config.md, config-linux.md): the fields minictr uses.

export type Spec = {
  ociVersion: string
  root: { path: string; readonly?: boolean }
  hostname?: string
  domainname?: string
  process: Process
  mounts: Mount[]
  linux: Linux
  annotations: Record<string, string>
}

export type Process = {
  terminal?: boolean
  consoleSize?: { height: number; width: number }
  user: { uid: number; gid: number; additionalGids?: number[]; umask?: number }
  args: string[]
  /** `NAME=value` each. */
  env: string[]
  cwd: string
  capabilities: Capabilities
  rlimits?: Rlimit[]
  noNewPrivileges?: boolean
  oomScoreAdj?: number
}

/** Names such as CAP_CHOWN, for each of the five sets of capabilities(7). */
export type Capabilities = {
  bounding: string[]
  effective: string[]
  inheritable: string[]
  permitted: string[]
  ambient: string[]
}

/** getrlimit(2); a limit of -1 is "unlimited". */
export type Rlimit = { type: string; soft: number; hard: number }

/** Options as in mount(8): rbind, ro, nosuid, rprivate, size=64m … Destinations are absolute, inside the container. */
export type Mount = { destination: string; type?: string; source?: string; options?: string[] }

export type Linux = {
  namespaces: { type: NamespaceType; path?: string }[]
  uidMappings?: SpecIdMapping[]
  gidMappings?: SpecIdMapping[]
  devices?: Device[]
  /** Below each controller's mount point; starts with a slash. */
  cgroupsPath?: string
  resources?: Resources
  rootfsPropagation?: 'private' | 'slave' | 'shared' | 'unbindable'
  seccomp?: Seccomp
  sysctl?: Record<string, string>
  maskedPaths?: string[]
  readonlyPaths?: string[]
}

export type NamespaceType = 'mount' | 'pid' | 'uts' | 'ipc' | 'network' | 'cgroup' | 'user' | 'time'

export type SpecIdMapping = { containerID: number; hostID: number; size: number }

export type Device = {
  path: string
  type: 'c' | 'b' | 'u' | 'p'
  major?: number
  minor?: number
  /** Permission bits, 0o666 for example. */
  fileMode?: number
  uid?: number
  gid?: number
}

export type DeviceRule = {
  allow: boolean
  type?: 'a' | 'c' | 'b'
  major?: number
  minor?: number
  access?: string
}

export type Resources = {
  devices?: DeviceRule[]
  /** Bytes; -1 is unlimited. `swap` counts memory and swap together. */
  memory?: {
    limit?: number
    reservation?: number
    swap?: number
    swappiness?: number
    disableOOMKiller?: boolean
  }
  /** Times in microseconds. */
  cpu?: { shares?: number; quota?: number; period?: number; cpus?: string; mems?: string }
  pids?: { limit: number }
  blockIO?: { weight?: number }
}

export type Seccomp = {
  defaultAction: string
  defaultErrnoRet?: number
  architectures?: string[]
  flags?: string[]
  syscalls?: SeccompRule[]
}

export type SeccompRule = {
  names: string[]
  action: string
  errnoRet?: number
  args?: { index: number; value: number; valueTwo?: number; op: string }[]
}

/**
 * Annotations minictr itself understands. The overlay is not part of the specification, whose root.path is a
 * ready directory: with `overlay` given, it is mounted at root.path first, inside the container's mount namespace.
 */
export const annotation = {
  /** JSON: an OverlaySource. */
  overlay: 'minictr.overlay',
  /** `true`: a small PID 1 of minictr's own reaps and forwards signals (--init). */
  init: 'minictr.init',
} as const

/**
 * Directories of an overlay, absolute; `lower` from the bottom layer up. `isVolatile`: what is written need not outlive the
 * machine's next crash.
 */
export type OverlaySource = { lower: string[]; upper: string; work: string; isVolatile?: true }

/** The overlay that becomes the container's root; undefined where the root is a directory that is there. */
export function overlayOf({ annotations }: Pick<Spec, 'annotations'>): OverlaySource | undefined {
  const text = annotations[annotation.overlay]
  return text === undefined ? undefined : (JSON.parse(text) as OverlaySource)
}
