// The command line of `run`: flags, IMAGE, and the command, which keeps every flag of its own.

import { checkOptions } from '../containers/conflicts.ts'
import type { RunOptions } from '../containers/options.ts'
import { containerFlags } from './flags/container.ts'
import { emptyDraft, type RunFlagGroup } from './flags/draft.ts'
import { readFlags } from './flags/flag.ts'
import { mountFlags } from './flags/mounts.ts'
import { namespaceFlags } from './flags/namespaces.ts'
import { networkFlags } from './flags/network.ts'
import { processFlags } from './flags/process.ts'
import { refusedFlags } from './flags/refused.ts'
import { resourceFlags } from './flags/resources.ts'
import { securityFlags } from './flags/security.ts'
import { readVariables, toRecord } from './flags/variables.ts'
import { watchingFlags } from './flags/watching.ts'
import { usageError } from './usage-error.ts'

/** Docker's status where `run` itself failed rather than the container's process. */
const RUN_FAILED = 125

/** All flags of `run`, under the headings of its help. */
export const runFlags: RunFlagGroup[] = [
  processFlags,
  containerFlags,
  mountFlags,
  namespaceFlags,
  networkFlags,
  securityFlags,
  resourceFlags,
  watchingFlags,
  refusedFlags,
]

/**
 * Parses what follows `minictr run` (or `explain run`, `script run`: `program` is what errors call it). The result is
 * `'help'` where `--help` was asked for; `extra` are further flags of such a command. Reads the files that flags name.
 * Throws MinictrError in Docker's words, with the exit status 125.
 */
export function parseRun(
  args: string[],
  program = 'minictr run',
  extra: RunFlagGroup[] = [],
): RunOptions | 'help' {
  const draft = emptyDraft()
  const { asksForHelp, words } = readFlags([...runFlags, ...extra], args, draft, program, RUN_FAILED)
  if (asksForHelp) return 'help'
  const [image, ...command] = words
  if (image === undefined) throw usageError(`'${program}' requires at least 1 argument`, program, RUN_FAILED)
  const { options, envFiles, labelFiles, labels } = draft
  options.image = image
  options.command = command
  options.environment.unshift(...envFiles.flatMap(file => readVariables(file, process.env)))
  options.labels = toRecord([...labelFiles.flatMap(file => readVariables(file)), ...labels])
  checkOptions(options)
  return options
}
