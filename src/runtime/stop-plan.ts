// How a container is stopped: its program is asked to end, waited for, and killed where it does not; what its run has made is
// undone, from its journal, and where the container is to go, what outlives a run as well.

import type { Freezer } from './freezer.ts'
import type { Op } from './op.ts'
import type { Plan, Step, Undo } from './step.ts'
import { lockContainerStep, unlockContainer } from './steps/container-files.ts'
import type { ContainerProcess } from './steps/join-container.ts'
import {
  announceEndStep,
  askToEndStep,
  awaitRecordStep,
  findProcessStep,
  killProcessStep,
  sendSignalStep,
} from './steps/stop.ts'
import { undoStep } from './steps/undo.ts'

/** All of it is decided before the plan is made. */
export type SignalContext = {
  containerId: string
  /** The container's first process, as the host sees it. */
  process: ContainerProcess
  /** `SIGTERM`, or a number. */
  signal: string
  freezer: Freezer
  /** Its processes are to be let go on, so that the signal reaches them. */
  isToBeThawed: boolean
}

export type StopContext = SignalContext & {
  /** The command that it is for: `stop`. */
  command: string
  /** How long the program may take; Infinity: as long as it wants. */
  timeoutMs: number
  /** Locked, it tells the monitor that somebody cleans up. */
  cleanerFile: string
  /** Where the monitor listens until it has recorded the end. */
  socket: string
  /** The monitor; undefined where nobody knows it. */
  monitor?: ContainerProcess
  lockFile: string
  /** What is left to be undone then, in that order. */
  undo: Undo[]
}

/** The ordered steps that stop a container. A pure function. Source: docker(1), `docker stop`; pidfd_send_signal(2). */
export function stopPlan(context: StopContext): Plan {
  const { containerId, command, process, signal, timeoutMs, freezer, isToBeThawed } = context
  const ask = askToEndStep(process, signal, timeoutMs, isToBeThawed ? freezer : undefined)
  const before = [announceEndStep(context.cleanerFile), findProcessStep(process)]
  return {
    containerId,
    command,
    onwardFrom: before.length,
    steps: [
      ...before,
      ...(signal === 'SIGKILL' ? [] : [ask]),
      killProcessStep(process, freezer),
      awaitRecordStep(context.socket, context.monitor),
      // Its directory may be gone by then: whoever else noticed the end has removed it.
      lockContainerStep(context, ['ENOENT']),
      ...context.undo.map(undoStep),
    ],
  }
}

/** The steps that only send a signal. */
export function signalPlan({ containerId, process, signal, freezer, isToBeThawed }: SignalContext): Plan {
  const steps = [
    findProcessStep(process),
    sendSignalStep(process, signal, isToBeThawed ? freezer : undefined),
  ]
  return { containerId, command: 'kill', steps }
}

/** The steps that remove a container which does not run. */
export function removePlan(context: Pick<StopContext, 'containerId' | 'lockFile' | 'undo'>): Plan {
  return {
    containerId: context.containerId,
    command: 'rm',
    steps: [lockContainerStep(context, ['ENOENT']), ...context.undo.map(undoStep)],
  }
}

/** One plan of two: its second part has the steps of `then`, each under another id where the first has that id as well. */
export function joinedPlan(command: string, first: Plan, then: Plan): Plan {
  const ids = new Set(first.steps.map(({ id }) => id))
  const steps = then.steps.map(
    (step): Step => (ids.has(step.id) ? { ...step, id: `${step.id}-again` } : step),
  )
  return { ...first, command, steps: [...first.steps, ...steps] }
}

/** Gives back what the steps before the undoing hold, in the order in which they took it. */
export const releaseStopped: Op[] = [
  { op: 'close', slot: 'cleaner', tolerate: ['EBADF'] },
  { op: 'close', slot: 'container-process', tolerate: ['EBADF'] },
  { op: 'close', slot: 'monitor', tolerate: ['EBADF'] },
  unlockContainer,
]
