// The options of a run while its command line is being read: some flags only make sense once all of them are known.

import { defaultOptions, type RunOptions } from '../../containers/options.ts'
import type { Flag, FlagGroup } from './flag.ts'

export type Draft = {
  options: RunOptions
  /** Variables of files count before those of flags, wherever they were given. */
  envFiles: string[]
  labelFiles: string[]
  labels: string[]
  /** As typed: what is wrong with it is no matter of the flag alone. */
  restart: string
}

export type RunFlag = Flag<Draft>
export type RunFlagGroup = FlagGroup<Draft>

/** A draft in which no flag has been given. */
export function emptyDraft(): Draft {
  return { options: defaultOptions(), envFiles: [], labelFiles: [], labels: [], restart: '' }
}
