// --cidfile: where a command writes the id of the container it makes.

import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'

/**
 * Makes the file before anything is done, and removes it where `make` fails; `make` gets what writes the id. Throws MinictrError
 * for a file that is there already or cannot be made, else what `make` throws.
 */
export async function withCidFile<T>(
  path: string | undefined,
  make: (writeId: (id: string) => void) => Promise<T>,
): Promise<T> {
  if (path === undefined) return await make(() => {})
  const fd = claim(path)
  try {
    // At its beginning: where a container has to be planned again, its id is another one.
    return await make(id => writeSync(fd, id, 0))
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}

function claim(path: string): number {
  try {
    return openSync(path, 'wx', 0o644)
  } catch (error) {
    const message =
      errnoOf(error) === 'EEXIST'
        ? `container ID file found, make sure the other container isn't running or delete ${path}`
        : `--cidfile ${path} cannot be created: ${(error as Error).message}`
    throw new MinictrError(message)
  }
}
