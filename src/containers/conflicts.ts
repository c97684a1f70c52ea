// Wishes that contradict each other or make no sense, whatever the image and the host: found before anything is done.

import { MinictrError } from '../system/error.ts'
import { checkLogWish } from './log-options.ts'
import type { HealthOptions, MountOption, ResourceOptions, RunOptions } from './options.ts'

/** Less memory than this does not let a process start (moby, daemon/daemon_unix.go). */
const MINIMUM_MEMORY_BYTES = 6 * 1024 ** 2
/** The kernel's limit for host names (uname(2)). */
const LONGEST_HOSTNAME = 64
/** And for those of files, as which names are claimed. */
const LONGEST_NAME = 255

/** Throws MinictrError, in Docker's words, for the first contradiction it finds. Source: moby, daemon and runconfig. */
export function checkOptions(options: RunOptions): void {
  // What Docker's command line finds by itself has the status of a wrong flag, with `create` as well.
  const mistyped = restartConflict(options) ?? healthFlagConflict(options.health)
  if (mistyped !== undefined) throw new MinictrError(mistyped, { exitStatus: 125 })
  const conflict =
    nameConflict(options) ??
    namespaceConflict(options) ??
    resourceConflict(options.resources) ??
    mountConflict(options.mounts) ??
    healthTimeConflict(options.health)
  if (conflict !== undefined) throw new MinictrError(conflict)
  if (options.detach && options.attach) {
    // Docker's command line finds this one itself, and has another status for that.
    const message = 'conflicting options: cannot specify both --attach and --detach'
    throw new MinictrError(message, { exitStatus: 1 })
  }
  checkLogWish(options.log)
}

/** What is wrong with a container's name, in Docker's words. */
export function wrongName(name: string): string | undefined {
  if (name.length > LONGEST_NAME)
    return `Invalid container name (${name}), at most ${LONGEST_NAME} characters are allowed`
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return undefined
  return `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`
}

/** What is wrong with limits, in Docker's words; `isUpdate`: of a container that has others already. */
export function resourceConflict(
  resources: ResourceOptions,
  { isUpdate = false }: { isUpdate?: boolean } = {},
): string | undefined {
  return memoryConflict(resources, isUpdate) ?? processorConflict(resources)
}

function nameConflict({ name, hostname, workingDirectory, user }: RunOptions): string | undefined {
  const wrong = name === undefined ? undefined : wrongName(name)
  if (wrong !== undefined) return wrong
  if (hostname !== undefined && Buffer.byteLength(hostname) > LONGEST_HOSTNAME) {
    return `--hostname ${hostname}: Linux takes at most ${LONGEST_HOSTNAME} bytes`
  }
  if (workingDirectory && !workingDirectory.startsWith('/')) {
    return `the working directory '${workingDirectory}' is invalid, it needs to be an absolute path`
  }
  if (user?.includes('\0')) return '--user holds a zero byte'
  return undefined
}

function restartConflict({ remove, restart }: RunOptions): string | undefined {
  if (!remove || restart.name === 'no') return undefined
  return 'conflicting options: cannot specify both --restart and --rm'
}

function namespaceConflict(options: RunOptions): string | undefined {
  const { network, namespaces, hostname, extraHosts, dnsServers, dnsSearch, dnsOptions } = options
  if (typeof network === 'object') {
    if (hostname !== undefined) return 'conflicting options: hostname and the network mode'
    if (dnsServers.length + dnsSearch.length + dnsOptions.length > 0) {
      return 'conflicting options: dns and the network mode'
    }
    if (extraHosts.length > 0) return 'conflicting options: custom host-to-IP mapping and the network mode'
  }
  if (namespaces.uts === 'host' && hostname !== undefined) {
    return 'conflicting options: hostname and the UTS mode'
  }
  return undefined
}

function memoryConflict(resources: ResourceOptions, isUpdate: boolean): string | undefined {
  const { memoryBytes = 0, memorySwapBytes = 0, memoryReservationBytes = 0 } = resources
  if (memoryBytes > 0 && memoryBytes < MINIMUM_MEMORY_BYTES) return 'Minimum memory limit allowed is 6MB'
  if (memoryBytes === 0 && memorySwapBytes > 0 && !isUpdate) {
    return 'You should always set the Memory limit when using Memoryswap limit, see usage'
  }
  if (memoryBytes > 0 && memorySwapBytes > 0 && memorySwapBytes < memoryBytes) {
    return 'Minimum memoryswap limit should be larger than memory limit, see usage'
  }
  if (memoryReservationBytes > 0 && memoryReservationBytes < MINIMUM_MEMORY_BYTES) {
    return 'Minimum memory reservation allowed is 6MB'
  }
  if (memoryBytes > 0 && memoryBytes < memoryReservationBytes) {
    return 'Minimum memory limit can not be less than memory reservation limit, see usage'
  }
  return undefined
}

function processorConflict(resources: ResourceOptions): string | undefined {
  const {
    nanoCpus,
    cpuQuotaMicroseconds: quota,
    cpuPeriodMicroseconds: period,
    cpuShares,
    blockIoWeight,
  } = resources
  if (nanoCpus !== undefined && quota !== undefined) {
    return 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'
  }
  if (nanoCpus !== undefined && period !== undefined) {
    return 'Conflicting options: Nano CPUs and CPU Period cannot both be set'
  }
  if (period !== undefined && (period < 1000 || period > 1_000_000)) {
    return 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)'
  }
  if (quota !== undefined && quota > 0 && quota < 1000)
    return 'CPU cfs quota can not be less than 1ms (i.e. 1000)'
  if (cpuShares !== undefined && cpuShares < 2) return 'the minimum allowed cpu-shares is 2'
  if (cpuShares !== undefined && cpuShares > 262_144) return 'the maximum allowed cpu-shares is 262144'
  if (blockIoWeight !== undefined && (blockIoWeight < 10 || blockIoWeight > 1000)) {
    return 'Range of blkio weight is from 10 to 1000'
  }
  return undefined
}

function mountConflict(mounts: MountOption[]): string | undefined {
  const taken = new Set<string>()
  for (const { target } of mounts) {
    if (taken.has(target)) return `Duplicate mount point: ${target}`
    taken.add(target)
  }
  return undefined
}

const SHORTEST_MS = 1

/** The flag of each, and Docker's name for it. */
const healthTimes = [
  ['intervalMs', '--health-interval', 'Interval'],
  ['timeoutMs', '--health-timeout', 'Timeout'],
  ['retries', '--health-retries', 'Retries'],
  ['startPeriodMs', '--health-start-period', 'StartPeriod'],
  ['startIntervalMs', '--health-start-interval', 'StartInterval'],
] as const

function givenTimes(health: HealthOptions) {
  return healthTimes.filter(([key]) => health[key])
}

function healthFlagConflict(health: HealthOptions): string | undefined {
  const given = givenTimes(health)
  if (health.isDisabled && (health.command || given.length > 0)) {
    return '--no-healthcheck conflicts with --health-* options'
  }
  for (const [key, flag] of given) if (health[key]! < 0) return `${flag} cannot be negative`
  return undefined
}

function healthTimeConflict(health: HealthOptions): string | undefined {
  for (const [key, , name] of givenTimes(health)) {
    if (health[key]! < SHORTEST_MS) return `${name} in Healthcheck cannot be less than 1ms`
  }
  return undefined
}
