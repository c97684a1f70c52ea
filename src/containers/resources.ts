// Limits as the OCI configuration writes them, checked against what this host has.

import { type HostFacts, hierarchyOf } from '../runtime/host.ts'
import type { Resources } from '../runtime/spec.ts'
import { MinictrError } from '../system/error.ts'
import type { HostFiles } from './host-files.ts'
import type { ResourceOptions } from './options.ts'

/** The period that `--cpus` divides, in microseconds; Docker's and the kernel's default. */
const CPU_PERIOD_MICROSECONDS = 100_000
const NANO = 1_000_000_000

export type ChosenResources = { resources: Resources; warnings: string[] }

/**
 * The limits of the options. Where the host cannot do one that Docker then leaves out, so does this, and warns. Throws
 * MinictrError in Docker's words for processors or memory nodes this host does not have. Source: moby,
 * daemon/oci_linux.go and daemon_unix.go (verifyPlatformContainerResources).
 */
export function chooseResources(
  options: ResourceOptions,
  facts: HostFacts,
  host: HostFiles,
): ChosenResources {
  const warnings: string[] = []
  const resources: Resources = {}
  const memory = memoryOf(options, facts, warnings)
  if (Object.keys(memory).length > 0) resources.memory = memory
  const cpu = cpuOf(options, host)
  if (Object.keys(cpu).length > 0) resources.cpu = cpu
  const { pidsLimit, blockIoWeight } = options
  if (pidsLimit !== undefined && pidsLimit > 0) resources.pids = { limit: pidsLimit }
  if (blockIoWeight !== undefined) {
    if (facts.blockWeightFile === undefined) {
      warnings.push(
        'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
      )
    } else resources.blockIO = { weight: blockIoWeight }
  }
  return { resources, warnings }
}

function memoryOf(
  options: ResourceOptions,
  facts: HostFacts,
  warnings: string[],
): NonNullable<Resources['memory']> {
  const { memoryBytes, memoryReservationBytes, memorySwapBytes } = options
  return {
    ...(memoryBytes !== undefined && { limit: memoryBytes }),
    ...(memoryReservationBytes !== undefined && { reservation: memoryReservationBytes }),
    ...swapOf(memoryBytes, memorySwapBytes, facts, warnings),
    ...legacyMemoryOf(options, facts, warnings),
  }
}

/** What cgroup v1 alone has files for. */
function legacyMemoryOf(
  { memoryBytes, memorySwappiness, disablesOomKiller }: ResourceOptions,
  facts: HostFacts,
  warnings: string[],
): { swappiness?: number; disableOOMKiller?: true } {
  if (hierarchyOf(facts, 'memory')?.version === 2) {
    if (memorySwappiness !== undefined) {
      warnings.push(
        'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
      )
    }
    if (disablesOomKiller) {
      warnings.push('Your kernel does not support OomKillDisable. OomKillDisable discarded.')
    }
    return {}
  }
  if (disablesOomKiller && memoryBytes === undefined) {
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    )
  }
  return {
    ...(memorySwappiness !== undefined && { swappiness: memorySwappiness }),
    ...(disablesOomKiller && { disableOOMKiller: true }),
  }
}

/** Without a word about swap, as much swap as memory. */
function swapOf(
  memoryBytes: number | undefined,
  swapBytes: number | undefined,
  { swapLimit }: HostFacts,
  warnings: string[],
): { swap?: number } {
  if (memoryBytes === undefined || swapBytes === -1) return {}
  if (swapLimit) return { swap: swapBytes ?? 2 * memoryBytes }
  warnings.push(
    'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
  )
  return {}
}

function cpuOf(options: ResourceOptions, host: HostFiles): NonNullable<Resources['cpu']> {
  const { nanoCpus, cpuShares, cpuQuotaMicroseconds, cpuPeriodMicroseconds, cpusetCpus, cpusetMems } = options
  if (nanoCpus !== undefined) checkCpuCount(nanoCpus, host)
  if (cpusetCpus !== undefined) checkList(cpusetCpus, 'cpuset cpus', 'CPUs', onlineCpus(host))
  if (cpusetMems !== undefined) checkList(cpusetMems, 'cpuset mems', 'memory nodes', onlineNodes(host))
  const period = nanoCpus === undefined ? cpuPeriodMicroseconds : CPU_PERIOD_MICROSECONDS
  const quota =
    nanoCpus === undefined ? cpuQuotaMicroseconds : Math.trunc((nanoCpus * CPU_PERIOD_MICROSECONDS) / NANO)
  return {
    ...(cpuShares !== undefined && { shares: cpuShares }),
    ...(quota !== undefined && { quota }),
    ...(period !== undefined && { period }),
    ...(cpusetCpus !== undefined && { cpus: cpusetCpus }),
    ...(cpusetMems !== undefined && { mems: cpusetMems }),
  }
}

function onlineCpus(host: HostFiles): string {
  return host.readText('/sys/devices/system/cpu/online')?.trim() ?? ''
}

function onlineNodes(host: HostFiles): string {
  return host.readText('/sys/devices/system/node/online')?.trim() || '0'
}

function checkCpuCount(nanoCpus: number, host: HostFiles): void {
  const available = numbersIn(onlineCpus(host))?.size ?? 0
  if (nanoCpus >= NANO / 100 && (available === 0 || nanoCpus <= available * NANO)) return
  throw new MinictrError(
    `Range of CPUs is from 0.01 to ${available}.00, as there are only ${available} CPUs available`,
  )
}

function checkList(list: string, option: string, what: string, available: string): void {
  const wanted = numbersIn(list)
  if (wanted === undefined) {
    throw new MinictrError(`Invalid value ${list} for ${option}: invalid format: ${list}`)
  }
  const existing = numbersIn(available) ?? new Set()
  if (existing.size === 0 || [...wanted].every(number => existing.has(number))) return
  throw new MinictrError(`Requested ${what} are not available - requested ${list}, available: ${available}`)
}

/** The numbers of a list such as 0-2,7 (cpuset(7), "List format"); undefined where it is none. */
function numbersIn(list: string): Set<number> | undefined {
  const numbers = new Set<number>()
  for (const range of list.split(',')) {
    const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range) ?? []
    if (first === undefined || Number(last) < Number(first)) return undefined
    for (let number = Number(first); number <= Number(last); number++) numbers.add(number)
  }
  return numbers
}
