// A few ops outside of any plan, performed one after the other: for what needs no journal because it undoes or is one act.

import { MinictrError } from '../system/error.ts'
import { type Answer, type Executor, spawnExecutor } from '../system/executor.ts'
import { likelyCause } from '../system/likely-cause.ts'
import { LateValues } from './late-values.ts'
import type { Op } from './op.ts'
import { callOf, showOp } from './ops.ts'

/** Raised when the kernel refuses an op that belongs to no step. */
export class OpError extends MinictrError {
  op: Op
  errno: string

  constructor(op: Op, errno: string) {
    super(`${showOp(op)} = ${errno}`, { remedy: likelyCause(op, errno) })
    this.op = op
    this.errno = errno
  }
}

/** As `performOps`, where nobody needs to know when it is done, or how. */
export function tellOps(ops: Op[], executor: Executor): void {
  const late = new LateValues()
  executor.tell(ops.map(op => callOf(op, late)))
}

/**
 * Performs ops in order, in one message, by an executor started for it unless one is given. Descriptors are kept for later calls
 * only where each call names the same ones in the same order. Throws OpError for the first one that fails with an error it does
 * not tolerate; those behind it are not performed.
 */
export async function performOps(ops: Op[], executor?: Executor): Promise<Answer[]> {
  if (executor) return await performBy(executor, ops)
  const helper = spawnExecutor()
  try {
    return await performBy(helper.executor, ops)
  } finally {
    await helper.close()
  }
}

async function performBy(executor: Executor, ops: Op[]): Promise<Answer[]> {
  const late = new LateValues()
  const { answers } = await executor.perform(ops.map(op => callOf(op, late)))
  const at = ops.findIndex((op, index) => {
    const { errno } = answers[index] ?? { errno: 'EPIPE' }
    return errno !== undefined && !op.tolerate?.includes(errno)
  })
  if (at >= 0) throw new OpError(ops[at]!, answers[at]?.errno ?? 'EPIPE')
  return answers
}
