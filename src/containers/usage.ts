// How much a container uses of the machine: what the kernel has counted for its cgroup, and for the links of its network.

import { readFileSync } from 'node:fs'
import { type HostFacts, hierarchyOf, unifiedHierarchy } from '../runtime/host.ts'
import { errnoOf } from '../system/errno.ts'
import type { Container } from './state.ts'

type Cgroups = Pick<HostFacts, 'cgroups'>

/** Counted since the container was started; memory and processes as of now. */
export type Usage = {
  cpuNs: number
  memoryBytes: number
  memoryLimitBytes: number
  receivedBytes: number
  sentBytes: number
  readBytes: number
  writtenBytes: number
  processes: number
}

/** The machine's own counters. */
export type MachineUsage = { cpuNs: number; cpus: number; memoryBytes: number }

/** What a container uses; undefined where it does not run. Source: cgroups(7); the kernel's cgroup-v1 and cgroup-v2 guides. */
export function readUsage(
  { id, run, status, record }: Pick<Container, 'id' | 'run' | 'status' | 'record'>,
  machine: MachineUsage,
  host: Cgroups,
): Usage | undefined {
  if (status !== 'running' || !run) return undefined
  const read = filesOf(`/minictr/${id}`, host)
  // The links are the host's then, and count the whole machine's traffic.
  const network = record.networkMode === 'host' ? '' : readText(`/proc/${run.pid}/net/dev`)
  return {
    cpuNs: cpuNs(read),
    ...memory(read, machine.memoryBytes),
    ...parseNetwork(network),
    ...blockIo(read),
    processes: Number(read('pids', 'pids.current')) || 0,
  }
}

/** Reads a file of the cgroup of a controller; empty where there is none. */
type ReadFile = (controller: string, name: string) => string

function filesOf(cgroupsPath: string, host: Cgroups): ReadFile {
  return (controller, name) => {
    // In v2 some files are there without their controller.
    const hierarchy = hierarchyOf(host, controller) ?? unifiedHierarchy(host)
    return hierarchy ? readText(`${hierarchy.mountPoint}${cgroupsPath}/${name}`) : ''
  }
}

function cpuNs(read: ReadFile): number {
  const legacy = read('cpuacct', 'cpuacct.usage')
  return legacy === '' ? counterOf(read('cpu', 'cpu.stat'), 'usage_usec') * 1000 : Number(legacy)
}

/**
 * Without the pages of files that were not used for long, which the kernel drops when it needs the place. Source: docker/cli,
 * container/stats_helpers.go (calculateMemUsageUnixNoCache).
 */
function memory(read: ReadFile, machineBytes: number): Pick<Usage, 'memoryBytes' | 'memoryLimitBytes'> {
  const isLegacy = read('memory', 'memory.usage_in_bytes') !== ''
  const [current, limit, inactive] = isLegacy
    ? ['memory.usage_in_bytes', 'memory.limit_in_bytes', 'total_inactive_file']
    : ['memory.current', 'memory.max', 'inactive_file']
  const usedBytes = Number(read('memory', current!)) || 0
  const inactiveBytes = counterOf(read('memory', 'memory.stat'), inactive!)
  // `max`, or a number that no machine reaches.
  const limitBytes = Number.parseInt(read('memory', limit!), 10)
  return {
    memoryBytes: inactiveBytes < usedBytes ? usedBytes - inactiveBytes : usedBytes,
    memoryLimitBytes: limitBytes < machineBytes ? limitBytes : machineBytes,
  }
}

function blockIo(read: ReadFile): Pick<Usage, 'readBytes' | 'writtenBytes'> {
  const legacy =
    read('blkio', 'blkio.throttle.io_service_bytes_recursive') ||
    read('blkio', 'blkio.throttle.io_service_bytes')
  return legacy === '' ? parseIo(read('io', 'io.stat')) : parseLegacyIo(legacy)
}

/** The bytes of v1's `8:0 Read 4096` lines, of all devices. */
export function parseLegacyIo(text: string): Pick<Usage, 'readBytes' | 'writtenBytes'> {
  const sum = (word: string) =>
    sumOf([...text.matchAll(new RegExp(`^\\S+ ${word} (\\d+)$`, 'gm'))].map(match => match[1]!))
  return { readBytes: sum('Read'), writtenBytes: sum('Write') }
}

/** The bytes of v2's `8:0 rbytes=4096 wbytes=0 …` lines, of all devices. */
export function parseIo(text: string): Pick<Usage, 'readBytes' | 'writtenBytes'> {
  const sum = (name: string) =>
    sumOf([...text.matchAll(new RegExp(`\\b${name}=(\\d+)`, 'g'))].map(match => match[1]!))
  return { readBytes: sum('rbytes'), writtenBytes: sum('wbytes') }
}

/** The bytes of all links in /proc/PID/net/dev but loopback. Source: proc_pid_net(5). */
export function parseNetwork(text: string): Pick<Usage, 'receivedBytes' | 'sentBytes'> {
  const links = [...text.matchAll(/^\s*([^\s:]+):\s*(.*)$/gm)]
    .filter(([, name]) => name !== 'lo')
    .map(([, , counters]) => counters!.split(/\s+/))
  return { receivedBytes: sumOf(links.map(link => link[0]!)), sentBytes: sumOf(links.map(link => link[8]!)) }
}

const NS_PER_TICK = 1e9 / 100

/** The machine's counters now. */
export function readMachineUsage(): MachineUsage {
  return parseMachine(readText('/proc/stat'), readText('/proc/meminfo'))
}

/**
 * The time that all CPUs together have counted, idle or not, and how many there are. Source: proc_stat(5), proc_meminfo(5); moby,
 * daemon/stats/collector_unix.go.
 */
export function parseMachine(stat: string, meminfo: string): MachineUsage {
  const ticks = /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').slice(0, 7) ?? []
  return {
    cpuNs: sumOf(ticks) * NS_PER_TICK,
    cpus: [...stat.matchAll(/^cpu\d/gm)].length,
    memoryBytes: Number(/^MemTotal: +(\d+)/m.exec(meminfo)?.[1] ?? 0) * 1024,
  }
}

/**
 * How much of one CPU a container used between two moments, in per cent: two busy ones are 200. Source: docker/cli,
 * container/stats_helpers.go (calculateCPUPercentUnix).
 */
export function cpuPercent(
  before: { usage: Pick<Usage, 'cpuNs'>; machine: Pick<MachineUsage, 'cpuNs'> },
  after: { usage: Pick<Usage, 'cpuNs'>; machine: Pick<MachineUsage, 'cpuNs' | 'cpus'> },
): number {
  const own = after.usage.cpuNs - before.usage.cpuNs
  const all = after.machine.cpuNs - before.machine.cpuNs
  return own > 0 && all > 0 ? (own / all) * after.machine.cpus * 100 : 0
}

/** The number behind a name, in lines of both. */
function counterOf(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
}

function sumOf(numbers: string[]): number {
  return numbers.reduce((sum, number) => sum + Number(number), 0)
}

/** Empty for what is not there, or goes while it is read. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'ESRCH', 'EOPNOTSUPP', 'EINVAL'].includes(errnoOf(error) ?? '')) return ''
    throw error
  }
}
