// pause and unpause: all processes of a container stand still, and go on.

import { pausePlan, unpausePlan } from '../runtime/pause-plan.ts'
import type { Observer } from '../runtime/perform.ts'
import type { Plan } from '../runtime/step.ts'
import { MinictrError } from '../system/error.ts'
import type { Executor } from '../system/executor.ts'
import { recordContainerEvent } from './events-of-container.ts'
import { containerFreezer, isPaused } from './frozen.ts'
import { performLocked } from './locked-plan.ts'
import { type Container, containerPaths, type Roots, readContainer } from './state.ts'

/**
 * Freezes the processes of a container, or lets them go on; returns whether somebody who watched went on to the end. Throws
 * MinictrError for one that does not run, or is so already; StepError where the kernel refuses, with all of them going on.
 * Source: moby, daemon/pause.go and unpause.go.
 */
export async function pauseContainer(
  container: Container,
  roots: Roots,
  executor: Executor,
  { command, observer }: { command: 'pause' | 'unpause'; observer?: Observer },
): Promise<boolean> {
  const decide = () => planPause(readContainer(roots, container.id) ?? container, roots, command)
  const isDone = await performLocked(decide, executor, observer)
  if (isDone) recordContainerEvent(roots, container, command)
  return isDone
}

/** Decides it completely and performs nothing of it. Throws MinictrError as `pauseContainer`. */
export function planPause(container: Container, roots: Roots, command: 'pause' | 'unpause'): Plan {
  const { id, name, status } = container
  if (status === 'restarting' && command === 'pause') {
    throw new MinictrError(`Container ${id} is restarting, wait until the container is running`)
  }
  if (status !== 'running' && command === 'pause') {
    throw new MinictrError(`Container ${id} is not running`, { remedy: `minictr start ${name}` })
  }
  if (command === 'pause' && isPaused(container)) {
    throw new MinictrError(`Container ${id} is already paused`, { remedy: `minictr unpause ${name}` })
  }
  if (command === 'unpause' && !isPaused(container)) {
    throw new MinictrError(`Container ${id} is not paused`, {
      remedy: '`minictr ps` shows those that are: (Paused).',
    })
  }
  const context = {
    containerId: id,
    lockFile: containerPaths(roots, id).lock,
    freezer: containerFreezer(container),
  }
  return command === 'pause' ? pausePlan(context) : unpausePlan(context)
}
