// Limits of a cgroup: which file of which controller takes which value, for cgroup v1 and v2 (cgroups(7)).

import { MinictrError } from '../system/error.ts'
import { type HostFacts, hierarchyOf } from './host.ts'
import type { Resources } from './spec.ts'

/** One value written to one file of the container's cgroup. */
export type LimitWrite = { controller: string; file: string; value: string }

type Memory = NonNullable<Resources['memory']>
type Cpu = NonNullable<Resources['cpu']>

/**
 * The writes that put limits on a new cgroup, in an order the kernel accepts. What is unlimited is not written: a new
 * cgroup has no limits. Throws MinictrError where a limit needs a controller this host does not have, or has no
 * meaning in the cgroup version that controller lives in. Source: config-linux.md (OCI), cgroup-v1 and cgroup-v2 of
 * the kernel's admin guide; conversions as in runc.
 */
export function limitWrites(
  { memory = {}, cpu = {}, pids, blockIO }: Resources,
  host: HostFacts,
): LimitWrite[] {
  const limits: Resources = {
    memory: {
      ...memory,
      limit: bounded(memory.limit),
      swap: bounded(memory.swap),
      reservation: bounded(memory.reservation),
    },
    cpu: { ...cpu, quota: bounded(cpu.quota) },
    ...(pids && pids.limit > 0 && { pids }),
    ...(blockIO && { blockIO }),
  }
  return limitChanges(limits, limits, host, Number.POSITIVE_INFINITY)
}

/**
 * The writes that change limits of a cgroup in use: those that are `given`, -1 for no limit any more. `whole` are all limits as
 * they will be then, and `memoryBytes` is the one of memory until now. Throws as `limitWrites`.
 */
export function limitChanges(
  given: Resources,
  whole: Resources,
  host: HostFacts,
  memoryBytes: number,
): LimitWrite[] {
  return [
    ...memoryWrites(given.memory ?? {}, whole.memory ?? {}, host, memoryBytes),
    ...cpuWrites(given.cpu ?? {}, whole.cpu ?? {}, host),
    ...cpusetWrites(given.cpu ?? {}, host),
    ...pidsWrites(given.pids, host),
    ...blockWrites(given.blockIO ?? {}, host),
  ]
}

function memoryWrites(memory: Memory, whole: Memory, host: HostFacts, nowBytes: number): LimitWrite[] {
  const { limit, swap, reservation, swappiness, disableOOMKiller } = memory
  const wanted = [limit, swap, reservation, swappiness, disableOOMKiller || undefined]
  if (wanted.every(value => value === undefined)) return []
  const write = (file: string, value: number | string) => ({
    controller: 'memory',
    file,
    value: String(value),
  })
  const writes: LimitWrite[] = []
  if (versionOf('memory', host) === 1) {
    if (limit !== undefined) writes.push(write('memory.limit_in_bytes', limit))
    if (swap !== undefined) writes.push(write('memory.memsw.limit_in_bytes', swap))
    // At no moment may memory and swap together be allowed less than memory alone.
    if (swap !== undefined && (swap < 0 || swap >= nowBytes)) writes.reverse()
    if (reservation !== undefined) writes.push(write('memory.soft_limit_in_bytes', reservation))
    if (swappiness !== undefined) writes.push(write('memory.swappiness', swappiness))
    if (disableOOMKiller) writes.push(write('memory.oom_control', 1))
    return writes
  }
  if (swappiness !== undefined) throw onlyInV1('The swappiness of one container')
  if (disableOOMKiller) throw onlyInV1('Switching the out-of-memory killer off')
  if (limit !== undefined) writes.push(write('memory.max', limit < 0 ? 'max' : limit))
  // v2 counts swap alone where the OCI configuration, made for v1, counts memory and swap together.
  const together = swap ?? (limit === undefined ? undefined : whole.swap)
  if (together !== undefined) {
    writes.push(write('memory.swap.max', together < 0 ? 'max' : together - swapBase(together, whole.limit)))
  }
  if (reservation !== undefined) writes.push(write('memory.low', Math.max(reservation, 0)))
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

function cpuWrites(cpu: Cpu, whole: Cpu, host: HostFacts): LimitWrite[] {
  const { quota } = cpu
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
    const most = bounded(whole.quota) ?? 'max'
    writes.push(write('cpu.max', `${most} ${whole.period || defaultPeriodMicroseconds}`))
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

function cpusetWrites(cpu: Cpu, host: HostFacts): LimitWrite[] {
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
  if (!pids) return []
  versionOf('pids', host)
  return [{ controller: 'pids', file: 'pids.max', value: pids.limit > 0 ? String(pids.limit) : 'max' }]
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
