// Removing a container: the undo of the steps that outlive a run, last one first.

import { Journal } from '../runtime/journal.ts'
import { undoEntries } from '../runtime/perform.ts'
import { removalSteps } from '../runtime/steps/container-files.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import { spawnExecutor } from '../system/executor.ts'
import { isRunning } from '../system/process-identity.ts'
import { recover } from './recover.ts'
import { type Container, containerPaths, type Roots } from './state.ts'

/**
 * Removes a container that does not run, with its writable layer and its name. With `force` a running one is killed
 * first, and waited for. Throws MinictrError for a running one without `force`, for one that is just being made, or where
 * the kernel refuses.
 */
export async function removeContainer(container: Container, roots: Roots, force: boolean): Promise<void> {
  const failed: string[] = []
  if (container.status === 'created') refuseHalfMade(container, roots)
  if (container.status === 'running') {
    if (!force) {
      throw new MinictrError(
        `cannot remove container "${container.name}": container is running: stop the container before removing or force remove`,
        { remedy: `minictr rm -f ${container.name}` },
      )
    }
    await killAndWait(container)
    // Its own command may be undoing the run as well: each act is done once, whoever comes first.
    failed.push(...(await recover(roots, container.id)))
  }
  const paths = containerPaths(roots, container.id)
  const helper = spawnExecutor()
  try {
    const undo = removalSteps(paths.directory, paths.nameFile(container.name), container.id)
    failed.push(...(await undoEntries(undo, helper.executor)).failed)
    if (failed.length === 0) return
    throw new MinictrError(`container ${container.name} is not wholly removed: ${failed.join('; ')}`, {
      remedy: 'Remove the cause and call `minictr rm` again; nothing is lost by that.',
    })
  } finally {
    await helper.close()
  }
}

/** Its files are in use from the first step on, long before there is a program that could be seen to run. */
function refuseHalfMade({ id, name }: Container, roots: Roots): void {
  const maker = new Journal(containerPaths(roots, id).runDirectory).owner()
  if (!maker || !isRunning(maker)) return
  throw new MinictrError(`cannot remove container "${name}": it is just being made`, {
    remedy: 'Wait until it runs, or end the command that makes it.',
  })
}

const pollMs = 20

async function killAndWait(container: Container): Promise<void> {
  try {
    process.kill(container.run!.pid, 'SIGKILL')
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error
  }
  while (isRunning(container.run!)) await new Promise(resolve => setTimeout(resolve, pollMs))
}
