// HostConfig of `inspect`: what the container was given of this host, read back from its OCI configuration as far as that says it.

import { NilList, NilMap, withOmitted } from '../images/nil.ts'
import { isPredefined } from '../networks/network.ts'
import { annotation, type Spec } from '../runtime/spec.ts'
import { defaultSysctls } from '../runtime/sysctl.ts'
import { mapOf, orNil } from './inspect-config.ts'
import { wishedPorts } from './inspect-network.ts'
import type { LogOptions } from './log-options.ts'
import type { MountPoint } from './mount-points.ts'
import { DEFAULT_SHM_BYTES } from './mounts.ts'
import type { ContainerRecord } from './record.ts'
import type { Container } from './state.ts'

type Recorded = Pick<Container, 'record' | 'spec'>

/** Describes it; what Docker has and minictr has not is as in a container that does not use it. Source: moby, HostConfig. */
export function describeSettings({ record, spec }: Recorded): Record<string, unknown> {
  const { asked } = record
  const { consoleSize } = spec.process
  const { devices = [], deviceCgroupRules = [], extraHosts = [], volumesFrom = [] } = asked
  const { maskedPaths, readonlyPaths } = spec.linux
  const tmpfs = tmpfsOptions(spec, record.mounts)
  const sysctls = ownSysctls(spec)
  const description = {
    Binds: orNil(record.mounts.flatMap(bindText)),
    ContainerIDFile: asked.cidFile ?? '',
    LogConfig: { Type: record.log.driver, Config: logConfig(record.log) },
    NetworkMode: record.networkMode,
    PortBindings: wishedPorts(record.ports.published),
    RestartPolicy: restartPolicy(record),
    AutoRemove: record.removeAtExit,
    VolumeDriver: '',
    VolumesFrom: orNil(
      volumesFrom.map(({ container, isReadOnly }) => `${container}${isReadOnly ? ':ro' : ''}`),
    ),
    CapAdd: orNil(asked.capabilitiesToAdd?.map(capabilityName)),
    CapDrop: orNil(asked.capabilitiesToDrop?.map(capabilityName)),
    CgroupnsMode: hasNamespace(spec, 'cgroup') ? 'private' : 'host',
    Dns: asked.dnsServers ?? [],
    DnsOptions: asked.dnsOptions ?? [],
    DnsSearch: asked.dnsSearch ?? [],
    ExtraHosts: orNil(extraHosts.map(({ name, address }) => `${name}:${address}`)),
    GroupAdd: orNil(asked.additionalGroups),
    IpcMode: ipcMode(record, spec),
    Cgroup: '',
    Links: orNil(defaultLinks(record)),
    OomScoreAdj: spec.process.oomScoreAdj ?? 0,
    PidMode: modeOf(record.joins.pid, hasNamespace(spec, 'pid')),
    Privileged: asked.privileged ?? false,
    PublishAllPorts: record.ports.publishesAll,
    ReadonlyRootfs: spec.root.readonly ?? false,
    SecurityOpt: orNil(securityOptions({ record, spec })),
    ...(tmpfs.size > 0 && { Tmpfs: tmpfs }),
    UTSMode: hasNamespace(spec, 'uts') ? '' : 'host',
    UsernsMode: '',
    ShmSize: record.sharedMemoryBytes ?? shmSize(spec),
    ...(sysctls.size > 0 && { Sysctls: sysctls }),
    Runtime: 'minictr',
    ConsoleSize: consoleSize ? [consoleSize.height, consoleSize.width] : [0, 0],
    Isolation: '',
    ...processorLimits(spec),
    Devices: devices.map(({ source, target, access }) => ({
      PathOnHost: source,
      PathInContainer: target,
      CgroupPermissions: access,
    })),
    DeviceCgroupRules: orNil(
      deviceCgroupRules.map(
        ({ type, major = '*', minor = '*', access }) => `${type} ${major}:${minor} ${access}`,
      ),
    ),
    DeviceRequests: new NilList(),
    ...memoryLimits(spec),
    Ulimits: (spec.process.rlimits ?? []).map(({ type, soft, hard }) => ({
      Name: type.replace('RLIMIT_', '').toLowerCase(),
      Hard: hard,
      Soft: soft,
    })),
    ...windowsLimits,
    MaskedPaths: orNil(maskedPaths),
    ReadonlyPaths: orNil(readonlyPaths),
    ...(spec.annotations[annotation.init] === 'true' && { Init: true }),
  }
  return withOmitted(description, {
    Mounts: new NilList(),
    Tmpfs: new NilMap(),
    Sysctls: new NilMap(),
    StorageOpt: new NilMap(),
    Annotations: new NilMap(),
    Init: null,
  })
}

/** The first half of its cgroup's limits; `--cpus` is a quota of a tenth of a second. */
function processorLimits({ linux: { resources = {} } }: Spec): Record<string, unknown> {
  const { memory = {}, cpu = {}, blockIO } = resources
  const isInCpus = cpu.period === 100_000 && cpu.quota !== undefined && cpu.quota > 0
  return {
    CpuShares: cpu.shares ?? 0,
    Memory: memory.limit ?? 0,
    NanoCpus: isInCpus ? cpu.quota! * 10_000 : 0,
    CgroupParent: '',
    BlkioWeight: blockIO?.weight ?? 0,
    BlkioWeightDevice: [],
    BlkioDeviceReadBps: [],
    BlkioDeviceWriteBps: [],
    BlkioDeviceReadIOps: [],
    BlkioDeviceWriteIOps: [],
    CpuPeriod: isInCpus ? 0 : (cpu.period ?? 0),
    CpuQuota: isInCpus ? 0 : (cpu.quota ?? 0),
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    CpusetCpus: cpu.cpus ?? '',
    CpusetMems: cpu.mems ?? '',
  }
}

/** The second half. A limit of memory without one of swap is one without a limit of swap. */
function memoryLimits({ linux: { resources = {} } }: Spec): Record<string, unknown> {
  const { memory = {}, pids } = resources
  return {
    MemoryReservation: memory.reservation ?? 0,
    MemorySwap: memory.swap ?? (memory.limit === undefined ? 0 : -1),
    MemorySwappiness: memory.swappiness ?? null,
    OomKillDisable: memory.disableOOMKiller ?? false,
    PidsLimit: pids?.limit ?? null,
  }
}

const windowsLimits = { CpuCount: 0, CpuPercent: 0, IOMaximumIOps: 0, IOMaximumBandwidth: 0 }

/** `SOURCE:PLACE[:MODE]`, of this host's files and of volumes with a name. */
function bindText(point: MountPoint): string[] {
  const { type, name, source, destination, isReadOnly, isAnonymous, propagation } = point
  if (type === 'tmpfs' || isAnonymous) return []
  const modes = [...(isReadOnly ? ['ro'] : []), ...(propagation ? [propagation] : [])]
  return [`${name ?? source}:${destination}${modes.length > 0 ? `:${modes.join(',')}` : ''}`]
}

function tmpfsOptions({ mounts }: Spec, points: MountPoint[]): Map<string, string> {
  const places = points.filter(({ type }) => type === 'tmpfs').map(({ destination }) => destination)
  const given = (destination: string) =>
    mounts
      .find(mount => mount.destination === destination)
      ?.options?.filter(option => !['noexec', 'nosuid', 'nodev'].includes(option)) ?? []
  return mapOf(Object.fromEntries(places.map(place => [place, given(place).join(',')])))
}

function logConfig({ driver, maxBytes, maxFiles }: LogOptions): Map<string, string> {
  if (driver === 'none') return new Map()
  return mapOf({
    ...(maxBytes !== undefined && { 'max-size': String(maxBytes) }),
    ...(maxFiles > 1 && { 'max-file': String(maxFiles) }),
  })
}

function restartPolicy(record: ContainerRecord): { Name: string; MaximumRetryCount: number } {
  const { restart } = record as { restart?: { name: string; maximumRetryCount: number } }
  return { Name: restart?.name ?? 'no', MaximumRetryCount: restart?.maximumRetryCount ?? 0 }
}

/** Links in networks that nobody made; those in others are told of there. */
function defaultLinks({ name, networkMode, links }: ContainerRecord): string[] {
  if (!isPredefined(networkMode)) return []
  return links.map(({ container, alias }) => `/${container}:/${name}/${alias}`)
}

/** `ALL`, or `CAP_NET_ADMIN` for `net_admin`. */
function capabilityName(given: string): string {
  const name = given.toUpperCase().replace(/^CAP_/, '')
  return name === 'ALL' ? name : `CAP_${name}`
}

function securityOptions({ record, spec }: Recorded): string[] {
  const { privileged, seccompFile } = record.asked
  const isUnconfined = !privileged && spec.linux.seccomp === undefined
  return [
    ...(spec.process.noNewPrivileges ? ['no-new-privileges'] : []),
    ...(seccompFile === undefined ? [] : [`seccomp=${seccompFile}`]),
    ...(isUnconfined ? ['seccomp=unconfined'] : []),
  ]
}

function hasNamespace({ linux }: Spec, wanted: string): boolean {
  return linux.namespaces.some(({ type }) => type === wanted)
}

function modeOf(joined: string | undefined, isOwn: boolean): string {
  if (joined !== undefined) return `container:${joined}`
  return isOwn ? '' : 'host'
}

function ipcMode({ joins, sharedMemoryBytes }: ContainerRecord, spec: Spec): string {
  const mode = modeOf(joins.ipc, hasNamespace(spec, 'ipc'))
  if (mode !== '') return mode
  if (sharedMemoryBytes !== undefined) return 'shareable'
  return spec.mounts.some(({ destination }) => destination === '/dev/shm') ? 'private' : 'none'
}

function shmSize({ mounts }: Spec): number {
  const options = mounts.find(({ destination }) => destination === '/dev/shm')?.options ?? []
  const size = options.find(option => option.startsWith('size='))
  return size === undefined ? DEFAULT_SHM_BYTES : Number(size.slice('size='.length))
}

/** But for those that every container has. */
function ownSysctls(spec: Spec): Map<string, string> {
  const common = defaultSysctls(false)
  const own = Object.entries(spec.linux.sysctl ?? {}).filter(([name, value]) => common[name] !== value)
  return mapOf(Object.fromEntries(own))
}
