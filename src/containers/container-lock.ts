// The lock of a container: whoever starts it, ends it, changes it or removes it has it meanwhile.

import { containerLock } from '../runtime/late-values.ts'
import type { Op } from '../runtime/op.ts'
import { OpError, performOps } from '../runtime/perform-ops.ts'
import { MinictrError } from '../system/error.ts'
import type { Executor } from '../system/executor.ts'
import { containerPaths, type Roots } from './state.ts'

/** A start or an end takes milliseconds; killing what is left of many processes may take a second. */
const WAIT_MS = 10_000

/**
 * Acts while nobody else starts, ends or changes the container. `host` holds the lock meanwhile. Without a
 * directory there is nothing that others could want: the act is done all the same. Throws MinictrError where somebody else
 * does not let go of it.
 */
export async function withContainerLock<T>(
  roots: Roots,
  id: string,
  host: Executor,
  act: () => T | Promise<T>,
): Promise<T> {
  const isLocked = await performOps([containerLockOp(roots, id)], host).then(
    () => true,
    error => {
      if (error instanceof OpError && error.errno === 'ENOENT') return false
      if (!(error instanceof OpError) || error.errno !== 'EAGAIN') throw error
      throw new MinictrError(`container ${id} is just being started, ended or changed`, {
        remedy: 'Wait for the command that does it, or end it.',
        cause: error,
      })
    },
  )
  try {
    return await act()
  } finally {
    if (isLocked) await performOps([{ op: 'close', slot: containerLock }], host)
  }
}

/** Takes the lock, once nobody else has it. */
export function containerLockOp(roots: Roots, id: string): Op {
  return { op: 'lock', path: containerPaths(roots, id).lock, waitMs: WAIT_MS, as: containerLock }
}
