// Questions about this host's packet filter, asked early and answered when somebody wants to know: waking up who answers takes
// longer than the answer.

import type { Executor, Performance } from '../system/executor.ts'

export type AskedFilter = { executor: Executor; chains(): Promise<Performance> }

/** Asks for all chains. */
export function askFilter(executor: Executor): AskedFilter {
  return { executor, chains: executor.begin([{ name: 'list_chains', args: [] }]) }
}
