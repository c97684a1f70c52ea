// Commands about an act that never happens: `explain` and `script` take another command's words, and its plan.

import type { Subject } from '../learn/explain.ts'
import type { GlobalOptions } from './command.ts'
import type { FlagGroup } from './flags/flag.ts'
import { namedFirst, plannable } from './plannable.ts'
import { usageError } from './usage-error.ts'

/**
 * Reads the words of a command that has a plan, its name first, and decides that act, performing nothing; `'help'` where
 * `--help` was asked for. `extra` are flags of `explain` or `script`, given beside the command's own. Throws MinictrError
 * for a wrong command line, and for what the act needs and is not here.
 */
export async function plannedAct(
  name: 'explain' | 'script',
  args: string[],
  globals: GlobalOptions,
  extra: FlagGroup<unknown>[] = [],
): Promise<Subject | 'help'> {
  const [what] = args
  if (what === '--help' || what === '-h') return 'help'
  const found = namedFirst(args)
  if (found)
    return await plannable[found.name]!.plan(found.rest, `minictr ${name} ${found.name}`, globals, extra)
  const names = Object.keys(plannable)
  const isHalf = names.some(each => each.startsWith(`${what} `))
  const instead = what === undefined ? '' : `, not by '${args.slice(0, isHalf ? 2 : 1).join(' ')}'`
  const quoted = names.map(each => `'${each}'`)
  throw usageError(
    `'minictr ${name}' is followed by ${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}${instead}: minictr ${name} run IMAGE`,
    `minictr ${name}`,
  )
}

/** `Usage:` lines, one for each command that has a plan. */
export function plannedUsage(name: 'explain' | 'script'): string {
  return Object.values(plannable)
    .map(({ usage }, index) => `${index === 0 ? 'Usage: ' : '       '} minictr ${name} ${usage}\n`)
    .join('')
}
