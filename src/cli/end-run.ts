// What a monitor starts when its container has ended and nobody waits for it: the run is undone, and the container's restart
// policy is asked.

import { endRun } from '../containers/end.ts'
import { MinictrError } from '../system/error.ts'
import { spawnExecutor } from '../system/executor.ts'
import type { GlobalOptions } from './command.ts'

/**
 * Takes the whole id of a container, and which run of it has ended: the PID and the start time of its monitor. Returns the exit
 * status, which nobody reads.
 */
export async function perform(
  [id = '', pid, startTimeTicks]: string[],
  globals: GlobalOptions,
): Promise<number> {
  const owner = pid && startTimeTicks ? { pid: Number(pid), startTimeTicks } : undefined
  const { executor, close } = spawnExecutor()
  try {
    const { failed } = await endRun(globals, id, executor, { owner })
    if (failed.length > 0) throw new MinictrError(`not everything could be undone:\n${failed.join('\n')}`)
    return 0
  } finally {
    await close()
  }
}
