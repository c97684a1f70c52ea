// What a person asked of `run`, parsed and typed: no text is left to be interpreted, and units are in the names.

export type RunOptions = {
  image: string
  /** What follows IMAGE; empty where nothing does. */
  command: string[]
  /** `--entrypoint`; an empty list takes the image's away. */
  entrypoint?: string[]
  name?: string
  platform?: string
  pull: 'always' | 'missing' | 'never'
  /** No progress of a pull. */
  quiet: boolean
  cidFile?: string
  /** Remove the container when its process has ended. */
  remove: boolean
  labels: Record<string, string>
  /** The user's own annotations, passed on in the OCI configuration. */
  annotations: Record<string, string>

  interactive: boolean
  tty: boolean
  /** The size of the caller's terminal, for that of the container. */
  terminalSize?: { rows: number; columns: number }
  signalProxy: boolean
  stopSignal?: string
  stopTimeoutSeconds?: number

  /** `NAME=value`, or `NAME` alone, which takes the image's variable away. */
  environment: string[]
  workingDirectory?: string
  /** `name|uid[:group|gid]`, looked up in the image. */
  user?: string
  additionalGroups: string[]
  /** A small PID 1 of minictr's own that forwards signals and reaps. */
  init: boolean
  ulimits: Ulimit[]
  oomScoreAdjustment?: number

  hostname?: string
  domainname?: string
  namespaces: NamespaceChoices
  network: NetworkMode
  /** Whether the user named a network at all. */
  isNetworkChosen: boolean
  /** Lines of /etc/hosts. */
  extraHosts: { name: string; address: string }[]
  dnsServers: string[]
  dnsSearch: string[]
  dnsOptions: string[]
  sysctls: Record<string, string>

  mounts: MountOption[]
  isRootReadOnly: boolean
  shmSizeBytes?: number

  privileged: boolean
  /** As typed, in any case and with or without CAP_, or ALL. */
  capabilitiesToAdd: string[]
  capabilitiesToDrop: string[]
  noNewPrivileges: boolean
  seccomp: SeccompChoice
  /** `--security-opt systempaths=unconfined`: nothing of /proc and /sys is masked or read-only. */
  systemPathsUnconfined: boolean
  devices: DeviceOption[]
  deviceCgroupRules: DeviceCgroupRule[]
  resources: ResourceOptions

  /** `--userns-remap`: whose subordinate ids the container's users are; undefined leaves it to the configuration file. */
  usernsRemap?: string

  /** Wait for the user before each step. */
  step: boolean
  /** Print how long each step took. */
  timing: boolean
  /** Where to write the steps' times in the Chrome trace format. */
  traceFile?: string
}

/** Another container by name or id, whose namespace is joined. */
export type JoinedContainer = { container: string }

export type NetworkMode = 'none' | 'host' | JoinedContainer

export type NamespaceChoices = {
  pid: 'private' | 'host' | JoinedContainer
  /** `shareable` is private, but other containers may join it; `none` is private without a /dev/shm. */
  ipc: 'private' | 'shareable' | 'none' | 'host' | JoinedContainer
  uts: 'private' | 'host'
  cgroup: 'default' | 'private' | 'host'
  /** `host` opts out of a mapping that the configuration file asks for. */
  user: 'default' | 'host'
}

export type Ulimit = { name: string; soft: number; hard: number }

export type SeccompChoice = 'default' | 'unconfined' | { file: string; text: string }

export type Propagation = 'private' | 'rprivate' | 'slave' | 'rslave' | 'shared' | 'rshared'

export type BindMount = {
  type: 'bind'
  source: string
  target: string
  isReadOnly: boolean
  /** `-v` makes a missing source directory; `--mount` fails. */
  createsSource: boolean
  isRecursive: boolean
  propagation?: Propagation
}

/** A volume without a name or source: the image's content of that directory is copied into it. */
export type AnonymousVolume = { type: 'volume'; target: string; isReadOnly: boolean; copiesContent: boolean }

export type TmpfsMount = { type: 'tmpfs'; target: string; isReadOnly: boolean; options: string[] }

export type MountOption = BindMount | AnonymousVolume | TmpfsMount

export type DeviceOption = { source: string; target: string; access: string }

export type DeviceCgroupRule = { type: 'a' | 'b' | 'c'; major?: number; minor?: number; access: string }

/** Undefined is "not asked for". */
export type ResourceOptions = {
  memoryBytes?: number
  memoryReservationBytes?: number
  /** Memory and swap together; -1 is unlimited. */
  memorySwapBytes?: number
  /** 0 to 100. */
  memorySwappiness?: number
  disablesOomKiller: boolean
  /** Thousand-millionths of a CPU, exact. */
  nanoCpus?: number
  cpuShares?: number
  cpuQuotaMicroseconds?: number
  cpuPeriodMicroseconds?: number
  /** A list such as 0-3,5. */
  cpusetCpus?: string
  cpusetMems?: string
  /** -1 is unlimited. */
  pidsLimit?: number
  blockIoWeight?: number
}

/** The options of a `run` without any flags. */
export function defaultOptions(): RunOptions {
  return {
    image: '',
    command: [],
    pull: 'missing',
    quiet: false,
    remove: false,
    labels: {},
    annotations: {},
    interactive: false,
    tty: false,
    signalProxy: true,
    environment: [],
    additionalGroups: [],
    init: false,
    ulimits: [],
    namespaces: { pid: 'private', ipc: 'private', uts: 'private', cgroup: 'default', user: 'default' },
    network: 'none',
    isNetworkChosen: false,
    extraHosts: [],
    dnsServers: [],
    dnsSearch: [],
    dnsOptions: [],
    sysctls: {},
    mounts: [],
    isRootReadOnly: false,
    privileged: false,
    capabilitiesToAdd: [],
    capabilitiesToDrop: [],
    noNewPrivileges: false,
    seccomp: 'default',
    systemPathsUnconfined: false,
    devices: [],
    deviceCgroupRules: [],
    resources: { disablesOomKiller: false },
    step: false,
    timing: false,
  }
}
