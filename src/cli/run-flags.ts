// The command line of `run`: flags, IMAGE, and the command, which keeps every flag of its own.

import { checkOptions } from '../containers/conflicts.ts'
import { chooseNetworks } from '../containers/network-wishes.ts'
import type { RunOptions } from '../containers/options.ts'
import { parseRestartPolicy, type RestartPolicy } from '../containers/restart-policy.ts'
import { MinictrError } from '../system/error.ts'
import { attachmentFlags } from './flags/attachment.ts'
import { containerFlags } from './flags/container.ts'
import { emptyDraft, type RunFlagGroup } from './flags/draft.ts'
import { endpointFlags } from './flags/endpoint.ts'
import { readFlags } from './flags/flag.ts'
import { healthFlags } from './flags/health.ts'
import { loggingFlags } from './flags/logging.ts'
import { mountFlags } from './flags/mounts.ts'
import { namespaceFlags } from './flags/namespaces.ts'
import { networkFlags } from './flags/network.ts'
import { portFlags } from './flags/ports.ts'
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
  attachmentFlags,
  containerFlags,
  mountFlags,
  namespaceFlags,
  networkFlags,
  endpointFlags,
  portFlags,
  securityFlags,
  resourceFlags,
  loggingFlags,
  healthFlags,
  watchingFlags,
  refusedFlags,
]

const ofRunAlone = ['detach', 'detach-keys', 'sig-proxy']

/** All flags of `create`: those of `run` but for what only matters once it runs. */
export const createFlags: RunFlagGroup[] = runFlags.map(group => ({
  ...group,
  flags: group.flags.filter(({ name }) => !ofRunAlone.includes(name)),
}))

/**
 * Parses what follows `minictr run` (or `explain run`, `script run`: `program` is what errors call it). The result is
 * `'help'` where `--help` was asked for; `extra` are further flags of such a command, `flags` those of `create`. Reads the
 * files that flags name. Throws MinictrError in Docker's words, with the exit status 125.
 */
export function parseRun(
  args: string[],
  program = 'minictr run',
  extra: RunFlagGroup[] = [],
  flags: RunFlagGroup[] = runFlags,
): RunOptions | 'help' {
  const draft = emptyDraft()
  const { asksForHelp, words } = readFlags([...flags, ...extra], args, draft, program, RUN_FAILED)
  if (asksForHelp) return 'help'
  const [image, ...command] = words
  if (image === undefined) throw usageError(`'${program}' requires at least 1 argument`, program, 1)
  const { options, envFiles, labelFiles, labels } = draft
  options.image = image
  options.command = command
  options.environment.unshift(...envFiles.flatMap(file => readVariables(file, process.env)))
  options.labels = toRecord([...labelFiles.flatMap(file => readVariables(file)), ...labels])
  options.restart = restartPolicy(draft.restart)
  Object.assign(options, chooseNetworks(options))
  checkOptions(options)
  return options
}

function restartPolicy(text: string): RestartPolicy {
  try {
    return parseRestartPolicy(text)
  } catch (error) {
    if (error instanceof MinictrError) error.exitStatus = RUN_FAILED
    throw error
  }
}
