// What the process that waits for a restart policy becomes: the container is started once more.

import { restartByPolicy } from '../containers/policy-restart.ts'
import type { GlobalOptions } from './command.ts'

/** Takes the whole id of a container; returns the exit status, which nobody reads. */
export async function perform([id = '']: string[], globals: GlobalOptions): Promise<number> {
  await restartByPolicy(id, globals)
  return 0
}
