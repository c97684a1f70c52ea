// update: other limits for a container, now where it runs and from now on; and another restart policy.

import { readFileSync } from 'node:fs'
import { limitChanges } from '../runtime/cgroup-limits.ts'
import { type HostFacts, hierarchyOf } from '../runtime/host.ts'
import type { Observer } from '../runtime/perform.ts'
import type { Resources, Spec } from '../runtime/spec.ts'
import type { Plan } from '../runtime/step.ts'
import { StepError } from '../runtime/step-error.ts'
import type { LimitChange } from '../runtime/steps/cgroup.ts'
import type { Replacement } from '../runtime/steps/container-files.ts'
import { updatePlan } from '../runtime/update-plan.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import type { Executor } from '../system/executor.ts'
import { hostFacts } from '../system/host-facts.ts'
import { isRunning } from '../system/process-identity.ts'
import { resourceConflict } from './conflicts.ts'
import { recordContainerEvent } from './events-of-container.ts'
import { thisHost } from './host-files.ts'
import { performLocked } from './locked-plan.ts'
import type { ResourceOptions } from './options.ts'
import { chooseResources } from './resources.ts'
import type { RestartPolicy } from './restart-policy.ts'
import { type Container, containerPaths, type Roots, readContainer } from './state.ts'

/** What is to be another from now on; what is not given stays. */
export type Update = { resources: ResourceOptions; restart?: RestartPolicy }

/** `warnings`: wishes this host cannot meet, left out. */
export type PlannedUpdate = { plan: Plan; warnings: string[] }

/**
 * Changes a container. Returns what Docker would warn of; undefined where somebody who watched did not go on. Throws
 * MinictrError for limits that contradict each other, or those the container has, and where the kernel refuses one; nothing
 * is changed then. Source: moby, daemon/update.go and container/container_unix.go (UpdateContainer).
 */
export async function updateContainer(
  container: Container,
  roots: Roots,
  executor: Executor,
  update: Update,
  observer?: Observer,
): Promise<string[] | undefined> {
  let warnings: string[] = []
  const decide = () => {
    const planned = planUpdate(readContainer(roots, container.id) ?? container, roots, update)
    warnings = planned.warnings
    return planned.plan
  }
  const isDone = await performLocked(decide, executor, observer).catch(error => {
    throw error instanceof StepError ? refused(container, error) : error
  })
  if (!isDone) return undefined
  recordContainerEvent(roots, container, 'update')
  return warnings
}

/** Decides it completely and performs nothing of it; a few files of the cgroup are read. Throws MinictrError as `updateContainer`. */
export function planUpdate(
  container: Container,
  roots: Roots,
  { resources, restart }: Update,
): PlannedUpdate {
  const { id, record, spec, status } = container
  const paths = containerPaths(roots, id)
  const facts = hostFacts()
  const now = spec.linux.resources ?? {}
  const conflict = resourceConflict(resources, { isUpdate: true })
  if (conflict !== undefined) throw new MinictrError(conflict)
  const { given, warnings } = givenLimits(resources, facts)
  const contradiction = contradictionOf(given, now, facts) ?? restartContradiction(container, restart)
  if (contradiction !== undefined) throw cannotUpdate(id, contradiction)
  const whole = merged(now, given)
  const after: Spec = { ...spec, linux: { ...spec.linux, resources: withoutUnlimited(whole) } }
  const cgroupsPath = spec.linux.cgroupsPath ?? `/minictr/${id}`
  const files: Replacement[] = [
    replacement(paths.config, spec, after),
    replacement(paths.record, record, restart ? { ...record, restart } : record),
  ]
  const plan = updatePlan({
    containerId: id,
    lockFile: paths.lock,
    cgroupsPath,
    limits:
      status === 'running' ? unlessEnded(container, () => changesOf(given, whole, cgroupsPath, facts)) : [],
    files: files.filter(({ before, after }) => before !== after),
    host: facts,
  })
  return { plan, warnings }
}

/** What was asked, as the OCI configuration writes it; -1 is "no limit any more". */
function givenLimits(options: ResourceOptions, facts: HostFacts): { given: Resources; warnings: string[] } {
  const { memoryBytes, memorySwapBytes, memoryReservationBytes, pidsLimit, ...rest } = options
  const { resources, warnings } = chooseResources(rest, facts, thisHost)
  const isSwapLimited = memoryBytes !== undefined || memorySwapBytes !== undefined
  if (isSwapLimited && !facts.swapLimit) {
    warnings.push(
      'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
    )
  }
  const memory = {
    ...(memoryBytes !== undefined && { limit: memoryBytes }),
    ...(memorySwapBytes !== undefined && facts.swapLimit && { swap: memorySwapBytes }),
    ...(memoryReservationBytes !== undefined && { reservation: memoryReservationBytes }),
  }
  const given = {
    ...resources,
    ...(Object.keys(memory).length > 0 && { memory }),
    ...(pidsLimit !== undefined && { pids: { limit: pidsLimit } }),
  }
  return { given, warnings }
}

/** What does not fit the limits there are, in Docker's words. */
function contradictionOf(given: Resources, now: Resources, { swapLimit }: HostFacts): string | undefined {
  const limit = given.memory?.limit
  const swap = now.memory?.swap ?? 0
  if (limit !== undefined && given.memory?.swap === undefined && swapLimit && limit > swap) {
    return 'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time'
  }
  const { quota, period } = now.cpu ?? {}
  const isByCpus = quota !== undefined && period === CPUS_PERIOD_MICROSECONDS
  const asksByCpus = given.cpu?.quota !== undefined && given.cpu.period === CPUS_PERIOD_MICROSECONDS
  if (asksByCpus && !isByCpus && period !== undefined) {
    return 'Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set'
  }
  if (asksByCpus && !isByCpus && quota !== undefined) {
    return 'Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set'
  }
  if (!asksByCpus && isByCpus && given.cpu?.period !== undefined) {
    return 'Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set'
  }
  if (!asksByCpus && isByCpus && given.cpu?.quota !== undefined) {
    return 'Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set'
  }
  return undefined
}

/** What `--cpus` comes to has this period, beside its quota. */
const CPUS_PERIOD_MICROSECONDS = 100_000

function restartContradiction({ record }: Container, restart: RestartPolicy | undefined): string | undefined {
  if (!record.removeAtExit || restart === undefined || restart.name === 'no') return undefined
  return 'Restart policy cannot be updated because AutoRemove is enabled for the container'
}

function merged(now: Resources, given: Resources): Resources {
  return {
    ...now,
    ...given,
    ...((now.memory ?? given.memory) && { memory: { ...now.memory, ...given.memory } }),
    ...((now.cpu ?? given.cpu) && { cpu: { ...now.cpu, ...given.cpu } }),
  }
}

/** As `run` writes it: what is unlimited is left out. */
function withoutUnlimited({ memory, pids, ...rest }: Resources): Resources {
  const { swap, ...others } = memory ?? {}
  return {
    ...rest,
    ...(memory && { memory: { ...others, ...(swap !== undefined && swap >= 0 && { swap }) } }),
    ...(pids && pids.limit > 0 && { pids }),
  }
}

/** What is decided of its cgroup; nothing where that went while we looked, as the container has ended. */
function unlessEnded({ run }: Container, decide: () => LimitChange[]): LimitChange[] {
  try {
    return decide()
  } catch (error) {
    const isGone = ['ENOENT', 'ENODEV'].includes(errnoOf(error) ?? '')
    if (isGone && !isRunning(run!)) return []
    throw error
  }
}

/** The kernel's own numbers are asked: what is to be written first depends on them, and what undoes it is them. */
function changesOf(given: Resources, whole: Resources, cgroupsPath: string, host: HostFacts): LimitChange[] {
  const read = (controller: string, file: string) => {
    const { mountPoint } = hierarchyOf(host, controller)!
    return readFileSync(`${mountPoint}${cgroupsPath}/${file}`, 'utf8').trim()
  }
  const memory = hierarchyOf(host, 'memory')
  const memoryBytes =
    memory?.version === 1 ? Number(read('memory', 'memory.limit_in_bytes')) : Number.POSITIVE_INFINITY
  return limitChanges(given, whole, host, memoryBytes).map(write => ({
    ...write,
    before: read(write.controller, write.file),
  }))
}

function replacement(path: string, before: object, after: object): Replacement {
  const text = (content: object) => `${JSON.stringify(content, null, 2)}\n`
  return { path, before: text(before), after: text(after) }
}

function cannotUpdate(id: string, reason: string, cause?: StepError): MinictrError {
  return new MinictrError(`Cannot update container ${id}: ${reason}`, {
    remedy: cause?.remedy ?? 'Give both at the same time, or leave one out.',
    cause,
  })
}

function refused({ id }: Container, error: StepError): MinictrError {
  return cannotUpdate(id, error.message, error)
}
