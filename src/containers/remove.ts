// Removing a container: the undo of what outlives a run, last one first; of one that runs, behind the undo of its run.

import { Journal } from '../runtime/journal.ts'
import type { Observer } from '../runtime/perform.ts'
import type { Plan } from '../runtime/step.ts'
import { removePlan } from '../runtime/stop-plan.ts'
import { MinictrError } from '../system/error.ts'
import type { Executor } from '../system/executor.ts'
import type { ProcessIdentity } from '../system/process-identity.ts'
import { endLocked } from './end.ts'
import { recordContainerEvent } from './events-of-container.ts'
import { isPaused } from './frozen.ts'
import { withLockedPlan } from './locked-plan.ts'
import type { RunSettings } from './plan-run.ts'
import { type Removal, removal, undoRemoval } from './removal.ts'
import { cancelRestart, forbidRestart } from './restart-wait.ts'
import { type Container, containerPaths, readContainer } from './state.ts'
import { planTermination, type Termination, terminate } from './termination.ts'

export type RemoveOptions = Removal & {
  /** A running one is killed first. */
  force: boolean
  observer?: Observer
}

/**
 * Removes a container with its writable layer and its name; returns whether somebody who watched went on to the end. Throws
 * MinictrError for a running one without `force`, StepError where somebody else does not let go of it, MinictrError where
 * something of it cannot be removed.
 */
export async function removeContainer(
  container: Container,
  roots: RunSettings,
  executor: Executor,
  options: RemoveOptions,
): Promise<boolean> {
  for (let current: Container | undefined = container; current; ) {
    checkRemovable(current, options)
    let owner: ProcessIdentity | undefined
    if (current.status === 'running' || current.status === 'restarting')
      ({ current, owner } = await forbidRestart(roots, container.id, executor))
    if (!current) break
    if (current.status === 'running') {
      const { failed, quit, runsAgain } = await terminate(
        current,
        owner,
        roots,
        executor,
        killing(options),
        options.observer,
      )
      checkRemoved(current, failed)
      if (!runsAgain) return !quit
    } else {
      const done = await removeStopped(current, roots, executor, options)
      if (done !== 'runs') return done
    }
    // Somebody has started it again before it was removed: then all over.
    current = readContainer(roots, container.id)
  }
  return true
}

/** Decides the removal completely and performs nothing of it. Throws MinictrError for a running container without `force`. */
export async function planRemove(
  container: Container,
  roots: RunSettings,
  options: RemoveOptions,
): Promise<Plan> {
  checkRemovable(container, options)
  if (container.status === 'running') return await planTermination(container, roots, killing(options))
  return removePlan({
    containerId: container.id,
    lockFile: containerPaths(roots, container.id).lock,
    undo: await removal(roots, container, options),
  })
}

async function removeStopped(
  container: Container,
  roots: RunSettings,
  executor: Executor,
  options: RemoveOptions,
): Promise<boolean | 'runs'> {
  const { id } = container
  // Removed by somebody else just now, it is as it was to be.
  const decide = async () =>
    await planRemove(readContainer(roots, id) ?? container, roots, { ...options, force: true })
  const locked = await withLockedPlan(decide, executor, options.observer, async plan => {
    let current = readContainer(roots, id)
    if (current?.status === 'running') return 'runs'
    if (current?.run) current = await afterItsEnd(current, roots, executor)
    if (!current) return true
    cancelRestart(roots, id)
    const entries = await removal(roots, current, options)
    const watched = { observer: options.observer, within: plan }
    const { failed, quit } = await undoRemoval(roots, id, entries, executor, [], watched)
    checkRemoved(current, failed)
    if (!quit) recordContainerEvent(roots, current, 'destroy')
    return !quit
  })
  return 'result' in locked && locked.result
}

/** Its run has ended just now, and nobody has told of that yet, or undone it. */
async function afterItsEnd(
  { id }: Container,
  roots: RunSettings,
  executor: Executor,
): Promise<Container | undefined> {
  const owner = new Journal(containerPaths(roots, id).runDirectory).owner()
  await endLocked(roots, id, executor, { owner })
  return readContainer(roots, id)
}

function killing({ withVolumes }: RemoveOptions): Termination {
  return { command: 'rm', signal: 'SIGKILL', timeoutSeconds: 0, removal: { withVolumes } }
}

function checkRemovable(container: Container, { force }: RemoveOptions): void {
  if (!force && (container.status === 'running' || container.status === 'restarting'))
    throw isRunningError(container)
}

function checkRemoved({ name }: Container, failed: string[]): void {
  if (failed.length === 0) return
  throw new MinictrError(`container ${name} is not wholly removed: ${failed.join('; ')}`, {
    remedy:
      'Remove the cause and call `minictr rm` again, or `minictr system recover` where it is not listed any more.',
  })
}

function isRunningError(container: Container): MinictrError {
  const { name, status } = container
  const reason = isPaused(container)
    ? 'container is paused and must be unpaused first'
    : `container is ${status}: stop the container before removing or force remove`
  return new MinictrError(`cannot remove container "/${name}": ${reason}`, {
    remedy: `minictr rm -f ${name}`,
  })
}
