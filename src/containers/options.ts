// What a person asked of `run`, parsed and typed: no text is left to be interpreted, and units are in the names.

import type { Port, PortWish } from '../networks/ports.ts'
import type { LogWish } from './log-options.ts'
import { NO_RESTART, type RestartPolicy } from './restart-policy.ts'

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
  restart: RestartPolicy
  /** Leave the container to itself as soon as it runs. */
  detach: boolean
  /** What is typed at the terminal to leave the container to itself. */
  detachKeys: Uint8Array
  /** The streams that are connected with ours, where not all that there are. */
  attach?: ('stdin' | 'stdout' | 'stderr')[]
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
  /** Those it joins where it has a network of its own, in this order; while flags are read, every `--network` as it was given. */
  networks: NetworkWish[]
  /** What flags of their own say of the first network: `--ip`, `--ip6`, `--mac-address`, `--network-alias`. */
  endpoint: EndpointWish
  /** `-p`. */
  publishedPorts: PortWish[]
  /** `-P`: all exposed ports are published. */
  publishesAllPorts: boolean
  /** `--expose`. */
  exposedPorts: Port[]
  links: LinkWish[]
  /** Lines of /etc/hosts; the address may be HOST_GATEWAY. */
  extraHosts: { name: string; address: string }[]
  dnsServers: string[]
  dnsSearch: string[]
  dnsOptions: string[]
  sysctls: Record<string, string>

  mounts: MountOption[]
  /** Containers whose volumes and bind mounts are mounted as well. */
  volumesFrom: { container: string; isReadOnly: boolean }[]
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
  health: HealthOptions
  /** What is left open is the configuration file's (log-options.ts, chooseLog). */
  log: LogWish

  /** `--userns-remap`: whose subordinate ids the container's users are; undefined leaves it to the configuration file. */
  usernsRemap?: string

  /** Wait for the user before each step. */
  step: boolean
  /** Print how long each step took. */
  timing: boolean
  /** Where to write the steps' times in the Chrome trace format. */
  traceFile?: string

  /** What Docker would print as WARNING: wishes that come to nothing, whatever the image and the host. */
  warnings: string[]
}

/** In place of an address: that of this host on the default network. */
export const HOST_GATEWAY = 'host-gateway'

/** Another container by name or id, whose namespace is joined. */
export type JoinedContainer = { container: string }

/** `own` is a network namespace that is joined to networks. */
export type NetworkMode = 'own' | 'none' | 'host' | JoinedContainer

/** How a container is to be in a network. */
export type EndpointWish = {
  aliases: string[]
  ipv4Address?: string
  ipv6Address?: string
  macAddress?: string
}

/** A network by name or id, or `none`, `host`, `container:NAME`. */
export type NetworkWish = EndpointWish & {
  name: string
  /** Of a container's networks the one with the highest has the default route. */
  gatewayPriority?: number
}

/** Another container by name or id, and what this one calls it. */
export type LinkWish = { container: string; alias: string }

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

/** A volume of minictr's; without a name it is made for this container alone. */
export type VolumeMount = {
  type: 'volume'
  name?: string
  target: string
  isReadOnly: boolean
  /** An empty volume begins with what the image has at its place. */
  copiesContent: boolean
  /** For a volume that is yet to be made. */
  labels?: Record<string, string>
  driverOptions?: Record<string, string>
}

export type TmpfsMount = { type: 'tmpfs'; target: string; isReadOnly: boolean; options: string[] }

export type MountOption = BindMount | VolumeMount | TmpfsMount

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

/** What is not said is the image's. */
export type HealthOptions = {
  /** A line for the shell. */
  command?: string
  intervalMs?: number
  timeoutMs?: number
  startPeriodMs?: number
  startIntervalMs?: number
  retries?: number
  /** Not even the image's check is made. */
  isDisabled: boolean
}

/** Docker's keys to leave a container. */
const [CTRL_P, CTRL_Q] = [0x10, 0x11]

/** The options of a `run` without any flags. */
export function defaultOptions(): RunOptions {
  return {
    image: '',
    command: [],
    pull: 'missing',
    quiet: false,
    remove: false,
    restart: NO_RESTART,
    detach: false,
    detachKeys: Uint8Array.of(CTRL_P, CTRL_Q),
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
    network: 'own',
    networks: [],
    endpoint: { aliases: [] },
    publishedPorts: [],
    publishesAllPorts: false,
    exposedPorts: [],
    links: [],
    extraHosts: [],
    dnsServers: [],
    dnsSearch: [],
    dnsOptions: [],
    sysctls: {},
    mounts: [],
    volumesFrom: [],
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
    health: { isDisabled: false },
    log: {},
    step: false,
    timing: false,
    warnings: [],
  }
}
