// Commands about a run that never happens: `explain run …` and `script run …` take the flags of `run`, and its plan.

import type { PlannedRun } from '../containers/plan-run.ts'
import type { GlobalOptions } from './command.ts'
import type { RunFlagGroup } from './flags/draft.ts'
import { parseRun } from './run-flags.ts'
import { usageError } from './usage-error.ts'

/**
 * Reads `run [flags] IMAGE …` and decides that run, performing nothing; `'help'` where `--help` was asked for. `extra`
 * are the command's own flags, given beside those of `run`. Throws MinictrError for a wrong command line, and for an
 * image that is not here.
 */
export async function plannedRun(
  name: 'explain' | 'script',
  args: string[],
  globals: GlobalOptions,
  extra: RunFlagGroup[] = [],
): Promise<PlannedRun | 'help'> {
  const [what, ...rest] = args
  if (what === '--help' || what === '-h') return 'help'
  if (what !== 'run') {
    const instead = what === undefined ? '' : `, not by '${what}'`
    throw usageError(
      `'minictr ${name}' is followed by 'run'${instead}: minictr ${name} run IMAGE`,
      `minictr ${name}`,
    )
  }
  const options = parseRun(rest, `minictr ${name} run`, extra)
  if (options === 'help') return 'help'
  const { planRun } = await import('../containers/plan-run.ts')
  return await planRun(options, globals)
}
