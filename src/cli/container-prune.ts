// minictr container prune: removes the containers that do not run.

import { Command } from 'commander'
import { containerPruneFilter } from '../containers/filter.ts'
import { pruneContainers } from '../containers/prune.ts'
import { recover } from '../containers/recover.ts'
import { hostExecutor } from '../system/monitor.ts'
import type { GlobalOptions } from './command.ts'
import { explain } from './failure.ts'
import { humanSize } from './human.ts'
import { confirm } from './question.ts'
import { repeatable } from './repeatable.ts'

type Flags = { filter: string[]; force?: boolean }

/** The `container prune` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('prune')
    .summary('Remove all stopped containers')
    .description('Remove all stopped containers: those that have ended, and those that never ran')
    .usage('[OPTIONS]')
    .option('--filter <filter>', 'Provide filter values (e.g. "until=<timestamp>")', repeatable, [])
    .option('-f, --force', 'Do not prompt for confirmation')
    .addHelpText(
      'after',
      `
Filters:
  until=TIME                     created before a date or a time ago ('24h')
  label=NAME, label=NAME=VALUE   only those; with label!=… all but those

Examples:
  minictr container prune
  minictr container prune -f --filter until=24h
  minictr container prune -f --filter label!=keep`,
    )
    .action((flags: Flags) => perform(flags, globals))
}

async function perform({ filter, force }: Flags, globals: GlobalOptions): Promise<void> {
  const isChosen = containerPruneFilter(filter, Date.now())
  if (!force && !(await confirm('WARNING! This will remove all stopped containers.'))) return
  const { text, sizeBytes } = await removedContainers(isChosen, globals)
  process.stdout.write(`${text}Total reclaimed space: ${humanSize(sizeBytes, 4)}\n`)
}

/** Removes them; the text tells of those removed. Errors are told as they come, and make the exit status 1. */
export async function removedContainers(
  isChosen: ReturnType<typeof containerPruneFilter>,
  globals: GlobalOptions,
): Promise<{ text: string; sizeBytes: number }> {
  await recover(globals)
  const { executor, close } = hostExecutor()
  try {
    const { ids, sizeBytes, failures } = await pruneContainers(globals, executor, isChosen)
    for (const failure of failures) {
      process.stderr.write(explain(failure, globals.debug))
      process.exitCode = 1
    }
    return { text: ids.length > 0 ? `Deleted Containers:\n${ids.join('\n')}\n\n` : '', sizeBytes }
  } finally {
    await close()
  }
}
