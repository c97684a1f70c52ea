// Removing several networks or volumes: one that fails does not keep the others.

import { MinictrError } from '../system/error.ts'
import { visible } from '../system/visible.ts'

/**
 * Tries all names and prints those for which `remove` gives true, as they were given. Throws the last of the MinictrErrors that
 * it threw, when everything else has been told.
 */
export async function removeEach(names: string[], remove: (name: string) => Promise<boolean>): Promise<void> {
  const failures: MinictrError[] = []
  for (const name of names) {
    try {
      if (await remove(name)) process.stdout.write(`${name}\n`)
    } catch (error) {
      if (!(error instanceof MinictrError)) throw error
      failures.push(error)
    }
  }
  for (const { message } of failures.slice(0, -1)) process.stderr.write(`minictr: ${visible(message)}\n`)
  if (failures.length > 0) throw failures.at(-1)!
}
