// A plan about a container that others may change meanwhile: decided, locked, and decided once more. A plan is data, so whether
// it still holds is seen by making it again.

import { isDeepStrictEqual } from 'node:util'
import { type Observer, perform } from '../runtime/perform.ts'
import { tellOps } from '../runtime/perform-ops.ts'
import type { Plan } from '../runtime/step.ts'
import { StepError } from '../runtime/step-error.ts'
import { unlockContainer } from '../runtime/steps/container-files.ts'
import { MinictrError } from '../system/error.ts'
import type { Executor } from '../system/executor.ts'

export type Locked<T> = { quit: true } | { result: T }

/**
 * Performs the first step of the plan, which takes the container's lock, and has `act` do the rest while it is held. Where the
 * plan is another one by then, begins anew. Throws what `decide` and `act` throw, and MinictrError where the lock cannot be had.
 */
export async function withLockedPlan<T>(
  decide: () => Plan | Promise<Plan>,
  executor: Executor,
  observer: Observer | undefined,
  act: (plan: Plan) => Promise<T>,
): Promise<Locked<T>> {
  for (;;) {
    const plan = await decide()
    try {
      const executors = { host: executor, container: executor }
      const outcome = await perform(plan, executors, undefined, observer, { to: 1 }).catch(error => {
        throw error instanceof StepError && error.failure.errno === 'EAGAIN' ? isBusy(plan, error) : error
      })
      if ('quit' in outcome) return { quit: true }
      if (isDeepStrictEqual(await decide(), plan)) return { result: await act(plan) }
    } finally {
      tellOps([unlockContainer], executor)
    }
  }
}

function isBusy({ containerId }: Plan, cause: StepError): MinictrError {
  return new MinictrError(
    `container ${containerId} is busy: it is just being made, started, changed or ended`,
    { remedy: 'Wait for the command that does it, or end that command, and try again.', cause },
  )
}

/** The same for a plan that is performed as it is to its end; false where somebody who watched did not go on. */
export async function performLocked(
  decide: () => Plan | Promise<Plan>,
  executor: Executor,
  observer: Observer | undefined,
): Promise<boolean> {
  const locked = await withLockedPlan(decide, executor, observer, async plan => {
    const executors = { host: executor, container: executor }
    const outcome = await perform(plan, executors, undefined, observer, { from: 1 })
    return !('quit' in outcome)
  })
  return 'result' in locked && locked.result
}
