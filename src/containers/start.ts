// start: a container that is there and does not run gets its program once more.

import { existsSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { Journal } from '../runtime/journal.ts'
import { type Observer, perform } from '../runtime/perform.ts'
import { tellOps } from '../runtime/perform-ops.ts'
import type { Plan } from '../runtime/step.ts'
import { StepError } from '../runtime/step-error.ts'
import { lockContainerStep, unlockContainer } from '../runtime/steps/container-files.ts'
import { delay } from '../system/delay.ts'
import { MinictrError } from '../system/error.ts'
import type { Executor } from '../system/executor.ts'
import { Monitor } from '../system/monitor.ts'
import { isRunning } from '../system/process-identity.ts'
import { visible } from '../system/visible.ts'
import { endLocked } from './end.ts'
import { type Attachment, type LaunchResult, launch, type PolicyRestart } from './launch.ts'
import { LostRaceError, untilNothingIsLost } from './lost-race.ts'
import type { PlannedContainer, RunSettings } from './plan-run.ts'
import { planStart, type TerminalSize } from './plan-start.ts'
import { readyRoot } from './ready-root.ts'
import { recordStartError } from './start-error.ts'
import { type Container, containerPaths, NoSuchContainerError, readContainer } from './state.ts'

export type StartOptions = {
  /** Undefined: it is left to itself as soon as it runs. */
  attachment?: Attachment
  terminalSize?: TerminalSize
  /** Its restart policy asks for it, and this process has waited for that. */
  restart?: PolicyRestart
  observer?: Observer
}

/** `running`: it ran already. */
export type Started = Exclude<LaunchResult, { how: 'failed' }> | { how: 'running' }

/** Another command may be starting it, or undoing its last run: both take milliseconds. */
const PATIENCE_MS = 10_000
const LOOK_AGAIN_MS = 10

/**
 * Starts a container. The result is `running` where it runs already. Throws StepError when a step fails (what the run has made is
 * undone by then), MinictrError for a program that cannot be started, both written down with the container; and where another
 * command does not let go of it.
 */
export async function startContainer(
  id: string,
  settings: RunSettings,
  options: StartOptions = {},
): Promise<Started> {
  return await untilNothingIsLost(() => startOnce(id, settings, options))
}

async function startOnce(id: string, settings: RunSettings, options: StartOptions): Promise<Started> {
  const { attachment, restart, observer } = options
  const monitor = Monitor.ofLauncher() ?? Monitor.spawn({ stdin: attachment?.stdin ? 'inherit' : 'ignore' })
  let result: LaunchResult | { how: 'running' } | undefined
  try {
    const decided = await lockAndPlan(id, settings, monitor, options)
    if ('plan' in decided) {
      for (const warning of decided.warnings) process.stderr.write(`WARNING: ${visible(warning)}\n`)
      result = await launch(decided, settings, monitor, { attachment, observer, restart })
    } else result = decided
    if (result.how !== 'failed') return result
    await removeAtFailure(id, settings, monitor)
    throw result.error
  } finally {
    if (result?.how !== 'left') monitor.close()
  }
}

/**
 * Takes the container's lock, and decides its start while nobody else can change it. Where somebody watches, the lock is the first
 * step of a plan that is made before and once more: it is the same, or all begins anew.
 */
async function lockAndPlan(
  id: string,
  settings: RunSettings,
  { host }: Monitor,
  { terminalSize, restart, observer }: StartOptions,
): Promise<PlannedContainer | Extract<LaunchResult, { how: 'quit' | 'failed' }> | { how: 'running' }> {
  const isByPolicy = restart !== undefined
  const decide = async (container: Container) => {
    await readyRoot(container, settings)
    return await planStart(container, settings, { terminalSize, isByPolicy, executor: host })
  }
  for (const untilMs = performance.now() + PATIENCE_MS; ; await delay(LOOK_AGAIN_MS)) {
    const shown = observer && (await shownPlan(id, settings, decide))
    const locking = shown ?? lockPlan(id, settings)
    const outcome = await perform(locking, { host, container: host }, undefined, observer, { to: 1 }).catch(
      error => {
        throw lockError(error, id)
      },
    )
    if ('quit' in outcome) return { how: 'quit', leftovers: outcome.leftovers }
    const container = await readyToStart(id, settings, host, isByPolicy)
    if (container === 'running') return { how: 'running' }
    if (container !== 'ending') {
      const planned = await decide(container).catch(error => failedPlan(error, settings, id, isByPolicy))
      if (!('plan' in planned) || !shown || isDeepStrictEqual(planned.plan, shown)) return planned
    } else if (performance.now() >= untilMs) throw busyError(id)
    tellOps([unlockContainer], host)
  }
}

/** What whoever watches is told before the lock is taken; what keeps it from being made is told with the lock in hand. */
async function shownPlan(
  id: string,
  settings: RunSettings,
  decide: (container: Container) => Promise<PlannedContainer>,
): Promise<Plan | undefined> {
  const container = readContainer(settings, id)
  if (!container || container.status === 'running') return undefined
  return await decide(container).then(
    ({ plan }) => plan,
    () => undefined,
  )
}

function lockPlan(id: string, settings: RunSettings): Plan {
  return {
    containerId: id,
    command: 'start',
    steps: [lockContainerStep({ lockFile: containerPaths(settings, id).lock })],
  }
}

/** A start by the policy has its own place to say why it was not possible. */
function failedPlan(error: unknown, settings: RunSettings, id: string, isByPolicy: boolean) {
  if (!(error instanceof MinictrError) || error instanceof LostRaceError) throw error
  if (!isByPolicy) recordStartError(settings, id, error)
  return { how: 'failed' as const, error }
}

/**
 * The container, when nothing is left of its last run, which is undone where its monitor has gone; `ending` while another command
 * is about to do that. Under its lock.
 */
async function readyToStart(
  id: string,
  settings: RunSettings,
  host: Executor,
  isByPolicy: boolean,
): Promise<Container | 'running' | 'ending'> {
  const container = readContainer(settings, id)
  if (!container) throw new NoSuchContainerError(id)
  if (container.status === 'running') return 'running'
  if (container.status === 'restarting' && !isByPolicy) {
    // Whoever starts it now need not wait for its policy.
    const { cancelRestart } = await import('./restart-wait.ts')
    cancelRestart(settings, id)
  }
  const { runDirectory } = containerPaths(settings, id)
  if (!existsSync(runDirectory)) return container
  const owner = new Journal(runDirectory).owner()
  if (owner && isRunning(owner)) return 'ending'
  await endLocked(settings, id, host, { owner })
  return await readyToStart(id, settings, host, isByPolicy)
}

/** One that is to go at its end (--rm) goes as well where it does not begin. */
async function removeAtFailure(id: string, settings: RunSettings, { host }: Monitor): Promise<void> {
  const container = readContainer(settings, id)
  if (!container?.record.removeAtExit) return
  tellOps([unlockContainer], host)
  const { removeContainer } = await import('./remove.ts')
  await removeContainer(container, settings, host, { force: false, withVolumes: true })
}

function lockError(error: unknown, id: string): unknown {
  if (!(error instanceof StepError)) return error
  if (error.failure.errno === 'ENOENT') return new NoSuchContainerError(id)
  return error.failure.errno === 'EAGAIN' ? busyError(id) : error
}

function busyError(id: string): MinictrError {
  return new MinictrError(`container ${id} is being started, ended or removed by another command`, {
    remedy: 'Wait for that command, or end it, and start the container again.',
  })
}
