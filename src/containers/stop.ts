// stop: a container's program is asked to end, killed where it does not, and what its run has made is undone.

import type { Observer } from '../runtime/perform.ts'
import type { Plan } from '../runtime/step.ts'
import type { Executor } from '../system/executor.ts'
import { recordContainerEvent } from './events-of-container.ts'
import type { RunSettings } from './plan-run.ts'
import { stopSignalOf } from './program.ts'
import { forbidRestart } from './restart-wait.ts'
import { type Container, readContainer } from './state.ts'
import { planTermination, stopped, type Termination, terminate } from './termination.ts'

/** Docker's defaults: ten seconds. */
const DEFAULT_TIMEOUT_SECONDS = 10

export type StopOptions = {
  /** In place of the container's own. */
  signal?: string
  /** In place of the container's own; -1 is for ever. */
  timeoutSeconds?: number
  /** It is to be started again at once: --rm does not remove it. */
  isRestarting?: boolean
  /** The machine goes down: that is nobody's wish that the container stays so. */
  why?: 'user' | 'shutdown'
  observer?: Observer
}

/**
 * Stops a container and undoes its run; its restart policy starts it no more, one that waits for it neither. Does nothing where it
 * does not run. Returns what could not be undone, a line each; undefined where somebody who watched did not go on. Throws
 * StepError where the kernel refuses.
 */
export async function stopContainer(
  container: Container,
  roots: RunSettings,
  executor: Executor,
  options: StopOptions = {},
): Promise<string[] | undefined> {
  const { why, isRestarting } = options
  const { current, owner } = await forbidRestart(roots, container.id, executor, {
    ...(why && { why }),
    ...(isRestarting && { isRestarting }),
  })
  if (current?.status !== 'running') {
    if (current && container.status === 'restarting') recordContainerEvent(roots, current, 'stop')
    return []
  }
  const termination = terminationOf(current, options)
  const { failed, quit } = await terminate(current, owner, roots, executor, termination, options.observer)
  if (quit) return undefined
  // Removed at its end (--rm), it is told of all the same.
  recordContainerEvent(roots, readContainer(roots, container.id) ?? container, 'stop')
  return failed
}

/** Decides the stop of a running container completely and performs nothing of it. */
export async function planStop(
  container: Container,
  roots: RunSettings,
  options: StopOptions,
): Promise<Plan> {
  return await planTermination(stopped(container, options), roots, terminationOf(container, options))
}

function terminationOf({ record }: Container, options: StopOptions): Termination {
  return {
    command: options.isRestarting ? 'restart' : 'stop',
    signal: options.signal ?? stopSignalOf(record),
    timeoutSeconds: options.timeoutSeconds ?? record.stopTimeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
  }
}
