// kill: a signal to a container's program; SIGKILL, which nobody survives, undoes its run as well.

import { signalNumber } from '../runtime/ops/running.ts'
import { type Observer, perform } from '../runtime/perform.ts'
import { tellOps } from '../runtime/perform-ops.ts'
import type { Plan } from '../runtime/step.ts'
import { StepError } from '../runtime/step-error.ts'
import { releaseStopped, signalPlan } from '../runtime/stop-plan.ts'
import { MinictrError } from '../system/error.ts'
import type { Executor } from '../system/executor.ts'
import { containerFreezer, isPaused } from './frozen.ts'
import type { RunSettings } from './plan-run.ts'
import { forbidRestart } from './restart-wait.ts'
import type { Container } from './state.ts'
import { nameOfSignal, planTermination, type Termination, tellOfSignal, terminate } from './termination.ts'

const termination: Termination = { command: 'kill', signal: 'SIGKILL', timeoutSeconds: 0 }

/**
 * Sends a signal. One that may stop the container counts as a stop by the user: it reaches a paused one, and the
 * restart policy starts it no more. Returns what could not be undone, a line each; undefined where somebody who watched did
 * not go on. Throws MinictrError for a container that does not run, StepError where the kernel refuses. Source: moby, daemon/kill.go.
 */
export async function killContainer(
  container: Container,
  roots: RunSettings,
  executor: Executor,
  { signal, observer }: { signal: string; observer?: Observer },
): Promise<string[] | undefined> {
  checkRunning(container)
  const found = forbidsRestart(container, signal) && (await forbidRestart(roots, container.id, executor))
  if (container.status !== 'running') return []
  if (found && signalNumber(signal) === signalNumber('SIGKILL')) {
    const { current, owner } = found
    if (current?.status !== 'running') return []
    const { failed, quit } = await terminate(current, owner, roots, executor, termination, observer)
    return quit ? undefined : failed
  }
  const isThawed = isStop(container, signal) && isPaused(container)
  try {
    const plan = planSignal(container, signal)
    const outcome = await perform(plan, { host: executor, container: executor }, undefined, observer)
    if ('quit' in outcome) return undefined
  } catch (error) {
    const isGone = error instanceof StepError && ['ESRCH', 'EBADF'].includes(error.failure.errno)
    throw isGone ? notRunning(container) : error
  } finally {
    tellOps(releaseStopped, executor)
  }
  tellOfSignal(container, roots, signal, isThawed)
  return []
}

/** Decides it completely and performs nothing of it. Throws MinictrError for a container without a process. */
export async function planKill(container: Container, roots: RunSettings, signal: string): Promise<Plan> {
  if (container.status !== 'running') throw notRunning(container)
  const isKill = signalNumber(signal) === signalNumber('SIGKILL')
  return isKill ? await planTermination(container, roots, termination) : planSignal(container, signal)
}

function planSignal(container: Container, signal: string): Plan {
  const { id, run } = container
  return signalPlan({
    containerId: id,
    process: run!,
    signal: nameOfSignal(signal),
    freezer: containerFreezer(container),
    isToBeThawed: isStop(container, signal) && isPaused(container),
  })
}

/**
 * Where nobody has named a signal that stops this container, Docker takes each for one: also one that the program takes for
 * something else.
 */
function isStop({ record: { stopSignal } }: Container, signal: string): boolean {
  if (stopSignal === undefined) return true
  return ['SIGKILL', stopSignal].some(each => signalNumber(each) === signalNumber(signal))
}

/** `unless-stopped` asks whether somebody has sent a signal, whichever it was, since the container began. */
function forbidsRestart(container: Container, signal: string): boolean {
  const { record, status } = container
  return isStop(container, signal) || (status === 'running' && record.restart?.name === 'unless-stopped')
}

function checkRunning(container: Container): void {
  if (container.status !== 'running' && container.status !== 'restarting') throw notRunning(container)
}

function notRunning({ id, name }: Container): MinictrError {
  return new MinictrError(`cannot kill container: ${name}: container ${id} is not running`, {
    remedy: '`minictr ps` lists the containers that run.',
  })
}
