// The error of a step: which one, which act, what the kernel said, and what became of all that was done before.

import { MinictrError } from '../system/error.ts'
import type { Op } from './op.ts'
import { manualPage, showOp } from './ops.ts'
import type { Step } from './step.ts'

export type Failure = {
  step: Step
  index: number
  total: number
  /** Whose plan the step is of. */
  command: string
  op: Op
  errno: string
  /** The kernel's own words for it, or the program's that was run. */
  said?: string
}

/** Raised when the kernel refuses an op of a step. */
export class StepError extends MinictrError {
  failure: Failure
  /** What was undone, and what could not be. */
  rollback: { undone: string[]; failed: string[] }

  constructor(failure: Failure, cause: string | undefined, rollback: { undone: string[]; failed: string[] }) {
    const { step, index, total, command, op, errno, said } = failure
    const lines = [
      `step ${index + 1}/${total} (${step.id}) failed: ${showOp(op)} = ${errno}`,
      ...(said ? [`In its own words: ${said.replaceAll('\n', '\n  ')}`] : []),
      ...(cause ? [`Likely cause: ${cause}`] : []),
      rollback.undone.length > 0 ? `Undone: ${rollback.undone.join(', ')}` : 'Nothing had to be undone',
      ...rollback.failed.map(text => `NOT undone: ${text}`),
    ]
    super(lines.join('\n'), {
      remedy: `See ${manualPage(op)} for ${errno}; \`minictr explain ${command} …\` shows the step in its place.`,
    })
    this.failure = failure
    this.rollback = rollback
  }
}
