// Ending the run of a container that runs: what stop, kill, restart and rm -f have in common.

import { Journal } from '../runtime/journal.ts'
import { signalNumber } from '../runtime/ops/running.ts'
import { type Observer, perform } from '../runtime/perform.ts'
import { tellOps } from '../runtime/perform-ops.ts'
import type { Plan } from '../runtime/step.ts'
import { releaseStopped, stopPlan } from '../runtime/stop-plan.ts'
import type { Executor } from '../system/executor.ts'
import { isRunning, type ProcessIdentity } from '../system/process-identity.ts'
import { type Ended, endLocked, leftToUndo } from './end.ts'
import { recordContainerEvent } from './events-of-container.ts'
import { containerFreezer, isPaused } from './frozen.ts'
import type { RunSettings } from './plan-run.ts'
import type { Removal } from './removal.ts'
import { stoppedMark } from './restart-wait.ts'
import { type Container, containerPaths } from './state.ts'

export type Termination = {
  /** The command that asks for it. */
  command: 'stop' | 'kill' | 'restart' | 'rm'
  /** As a person wrote it. */
  signal: string
  /** How long the program may take; -1 is for ever. */
  timeoutSeconds: number
  /** The container goes with its run. */
  removal?: Removal
}

/** Decides the end of a running container completely and performs nothing of it. */
export async function planTermination(
  container: Container,
  roots: RunSettings,
  { command, signal, timeoutSeconds, removal }: Termination,
): Promise<Plan> {
  const { id, run } = container
  const paths = containerPaths(roots, id)
  const undo = await leftToUndo(roots, id, container, removal)
  const journal = new Journal(paths.runDirectory)
  const monitor = journal.owner()
  return stopPlan({
    containerId: id,
    command,
    process: run!,
    signal: nameOfSignal(signal),
    timeoutMs: timeoutSeconds < 0 ? Number.POSITIVE_INFINITY : timeoutSeconds * 1000,
    freezer: containerFreezer(container),
    isToBeThawed: isPaused(container),
    cleanerFile: paths.cleaner,
    socket: paths.socket,
    ...(monitor && { monitor }),
    lockFile: paths.lock,
    undo: [...undo, { step: 'journal', undo: journal.forgetting() }],
  })
}

/**
 * Ends the run of this owner: its program, and what it has made on the host; not one that has begun meanwhile. Tells of each signal
 * when it is sent. Throws StepError where the kernel refuses.
 */
export async function terminate(
  container: Container,
  owner: ProcessIdentity | undefined,
  roots: RunSettings,
  executor: Executor,
  termination: Termination,
  observer?: Observer,
): Promise<Ended> {
  const plan = await planTermination(container, roots, termination)
  const undoing = plan.steps.findIndex(({ id }) => id === 'lock-container') + 1
  const telling = tellingSignals(container, roots, termination.signal, observer)
  try {
    const executors = { host: executor, container: executor }
    const outcome = await perform(plan, executors, undefined, telling, { to: undoing })
    if ('quit' in outcome) return { failed: [], quit: true }
    const { removal } = termination
    return await endLocked(roots, container.id, executor, {
      owner,
      ...(observer && { observer, within: plan }),
      ...(removal && { removal }),
    })
  } finally {
    tellOps(releaseStopped, executor)
  }
}

/** The container as it is once somebody has stopped it. */
export function stopped(container: Container, { isRestarting }: { isRestarting?: boolean }): Container {
  const { lifecycle } = container
  if (!lifecycle) return container
  return {
    ...container,
    lifecycle: { ...lifecycle, ...stoppedMark(isRestarting) },
  }
}

/** Docker's event of a signal, and that the container goes on, where it was paused. */
export function tellOfSignal(
  container: Container,
  roots: RunSettings,
  signal: string,
  isThawed: boolean,
): void {
  recordContainerEvent(roots, container, 'kill', { signal: String(signalNumber(signal)) })
  if (isThawed) recordContainerEvent(roots, container, 'unpause')
}

/** `SIGTERM` for `term`; a number stays one. */
export function nameOfSignal(text: string): string {
  if (/^\d+$/.test(text)) return text === '9' ? 'SIGKILL' : text
  const name = text.toUpperCase()
  return name.startsWith('SIG') ? name : `SIG${name}`
}

/** An observer that has every step sent on its own, and tells of the signals in between; the kill is none where all is over. */
function tellingSignals(
  container: Container,
  roots: RunSettings,
  signal: string,
  observer: Observer = {},
): Observer {
  let isThawed = isPaused(container)
  const tell = (sent: string) => {
    tellOfSignal(container, roots, sent, isThawed)
    isThawed = false
  }
  return {
    ...observer,
    async before(step, index, total) {
      if ((await observer.before?.(step, index, total)) === 'quit') return 'quit'
      if (step.id === 'ask-to-end') tell(signal)
      if (step.id === 'kill-process' && isRunning(container.run!)) tell('SIGKILL')
      return 'go'
    },
  }
}
