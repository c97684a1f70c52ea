// Limits of a cgroup: which file of which controller takes which value, for cgroup v1 and v2 (cgroups(7)).

import { MinictrError } from '../system/error.ts'
import { type HostFacts, hierarchyOf } from './host.ts'
import type { Resources } from './spec.ts'

/** One value written to one file of the container's cgroup. */
export type LimitWrite = { controller: string; file: string; value: string }

/**
 * The writes that put limits on a new cgroup, in an order the kernel accepts. What is unlimited is not written: a new
 * cgroup has no limits. Throws MinictrError where a limit needs a controller this host does not have, or has no
 * meaning in the cgroup version that controller lives in. Source: config-linux.md (OCI), cgroup-v1 and cgroup-v2 of
 * the kernel's admin guide; conversions as in runc.
 */
export function limitWrites(resources: Resources, host: HostFacts): LimitWrite[] {
  return [
    ...memoryWrites(resources.memory ?? {}, host),
    ...cpuWrites(resources.cpu ?? {}, host),
    ...cpusetWrites(resources.cpu ?? {}, host),
    ...pidsWrites(resources.pids, host),
    ...blockWrites(resources.blockIO ?? {}, host),
  ]
}

function memoryWrites(memory: NonNullable<Resources['memory']>, host: HostFacts): LimitWrite[] {
  const limit = bounded(memory.limit)
  const swap = bounded(memory.swap)
  const reservation = bounded(memory.reservation)
  const wanted = [limit, swap, reservation, memory.swappiness, memory.disableOOMKiller || undefined]
  if (wanted.every(value => value === undefined)) return []
  const write = (file: string, value: number) => ({ controller: 'memory', file, value: String(value) })
  const writes: LimitWrite[] = []
  if (versionOf('memory', host) === 1) {
    // The limit first: a limit of memory and swap together below that of memory alone is refused.
    if (limit !== undefined) writes.push(write('memory.limit_in_bytes', limit))
    if (swap !== undefined) writes.push(write('memory.memsw.limit_in_bytes', swap))
    if (reservation !== undefined) writes.push(write('memory.soft_limit_in_bytes', reservation))
    if (memory.swappiness !== undefined) writes.push(write('memory.swappiness', memory.swappiness))
    if (memory.disableOOMKiller) writes.push(write('memory.oom_control', 1))
    return writes
  }
  if (memory.swappiness !== undefined) throw onlyInV1('The swappiness of one container')
  if (memory.disableOOMKiller) throw onlyInV1('Switching the out-of-memory killer off')
  if (limit !== undefined) writes.push(write('memory.max', limit))
  // v2 counts swap alone where the OCI configuration, made for v1, counts memory and swap together.
  if (swap !== undefined) writes.push(write('memory.swap.max', swap - swapBase(swap, limit)))
  if (reservation !== undefined) writes.push(write('memory.low', reservation))
  return writes
}

function swapBase(swap: number, limit: number | undefined): number {
  if (limit !== undefined && limit <= swap) return limit
  throw new MinictrError(
    limit === undefined
      ? 'A limit of memory and swap together needs a limit of memory'
      : `The limit of memory and swap together (${swap} bytes) is below that of memory (${limit} bytes)`,
    { remedy: 'Give both, the one for memory and swap at least as large: --memory 512m --memory-swap 1g.' },
  )
}

function cpuWrites(cpu: NonNullable<Resources['cpu']>, host: HostFacts): LimitWrite[] {
  const quota = bounded(cpu.quota)
  const period = cpu.period || undefined
  const shares = cpu.shares || undefined
  if (quota === undefined && period === undefined && shares === undefined) return []
  const write = (file: string, value: string) => ({ controller: 'cpu', file, value })
  const writes: LimitWrite[] = []
  if (versionOf('cpu', host) === 1) {
    if (shares !== undefined) writes.push(write('cpu.shares', String(shares)))
    // The period first: the quota is judged against it.
    if (period !== undefined) writes.push(write('cpu.cfs_period_us', String(period)))
    if (quota !== undefined) writes.push(write('cpu.cfs_quota_us', String(quota)))
    return writes
  }
  if (shares !== undefined) writes.push(write('cpu.weight', String(weightFromShares(shares))))
  if (quota !== undefined || period !== undefined) {
    writes.push(write('cpu.max', `${quota ?? 'max'} ${period ?? defaultPeriodMicroseconds}`))
  }
  return writes
}

const defaultPeriodMicroseconds = 100_000

/**
 * v1's shares (2 to 262144, 1024 is neutral) as v2's weight (1 to 10000, 100 is neutral): the curve through the three
 * pairs that runc uses since 1.3.2 and crun since 1.23.
 */
export function weightFromShares(shares: number): number {
  if (shares <= 2) return 1
  if (shares >= 262144) return 10_000
  const log = Math.log2(shares)
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34))
}

function cpusetWrites(cpu: NonNullable<Resources['cpu']>, host: HostFacts): LimitWrite[] {
  if (!cpu.cpus && !cpu.mems) return []
  // The same two files in both versions.
  versionOf('cpuset', host)
  const write = (file: string, value: string) => ({ controller: 'cpuset', file, value })
  return [
    ...(cpu.cpus ? [write('cpuset.cpus', cpu.cpus)] : []),
    ...(cpu.mems ? [write('cpuset.mems', cpu.mems)] : []),
  ]
}

function pidsWrites(pids: Resources['pids'], host: HostFacts): LimitWrite[] {
  const limit = bounded(pids?.limit || undefined)
  if (limit === undefined) return []
  versionOf('pids', host)
  return [{ controller: 'pids', file: 'pids.max', value: String(limit) }]
}

function blockWrites(block: NonNullable<Resources['blockIO']>, host: HostFacts): LimitWrite[] {
  if (!block.weight) return []
  const file = host.blockWeightFile
  if (!file)
    throw missing('A block I/O weight', 'a disk scheduler that obeys weights (bfq, or io.cost on cgroup v2)')
  const controller = file.startsWith('io.') ? 'io' : 'blkio'
  const value = file === 'io.weight' ? ioWeight(block.weight) : block.weight
  return [{ controller, file, value: String(value) }]
}

/** v1's 10 to 1000 spread over v2's 1 to 10000, as runc does. */
function ioWeight(weight: number): number {
  return 1 + Math.floor(((weight - 10) * 9999) / 990)
}

/** -1 is how the OCI configuration says "unlimited". */
function bounded(value: number | undefined): number | undefined {
  return value === undefined || value < 0 ? undefined : value
}

function versionOf(controller: string, host: HostFacts): 1 | 2 {
  const hierarchy = hierarchyOf(host, controller)
  if (hierarchy) return hierarchy.version
  throw missing(`A limit in config.json's linux.resources`, `the cgroup controller ${controller}`)
}

function missing(what: string, needs: string): MinictrError {
  return new MinictrError(`${what} needs ${needs}, which this host does not have`, {
    remedy: 'Leave the limit out, or switch the controller on when the machine starts (cgroups(7)).',
  })
}

function onlyInV1(what: string): MinictrError {
  return new MinictrError(`${what} exists in cgroup v1 only, and this host has its memory controller on v2`, {
    remedy: 'Leave the option out: cgroup v2 has no such file.',
  })
}
