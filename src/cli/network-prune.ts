// minictr network prune: removes the networks that no container is in.

import { Command } from 'commander'
import { parseMoment } from '../containers/moment.ts'
import { pruneNetworks } from '../containers/network-removal.ts'
import { recover } from '../containers/recover.ts'
import { pruneFilter } from '../networks/filter.ts'
import type { GlobalOptions } from './command.ts'
import { confirm } from './question.ts'
import { repeatable } from './repeatable.ts'

type Flags = { filter?: string[]; force?: boolean }

/** The `network prune` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('prune')
    .summary('Remove all unused networks')
    .description('Remove all networks that no container is in, but for those that are always there')
    .usage('[OPTIONS]')
    .option('--filter <filter>', 'Provide filter values (e.g. "until=<timestamp>")', repeatable)
    .option('-f, --force', 'Do not prompt for confirmation')
    .addHelpText(
      'after',
      `
Filters:
  label=NAME, label=NAME=VALUE   only those; with label!=… all but those
  until=TIME                     made before a date or a time ago ('24h')

Examples:
  minictr network prune
  minictr network prune --force --filter until=24h
  minictr network prune --filter label!=keep`,
    )
    .action((flags: Flags) => perform(flags, globals))
}

async function perform({ filter = [], force }: Flags, globals: GlobalOptions): Promise<void> {
  const nowMs = Date.now()
  const keep = pruneFilter(filter, text => parseMoment(text, 'until', nowMs))
  if (!force) {
    const warning = 'WARNING! This will remove all custom networks not used by at least one container.'
    if (!(await confirm(warning))) return
  }
  await recover(globals)
  const names = await pruneNetworks(globals, { keep })
  if (names.length > 0) process.stdout.write(`Deleted Networks:\n${names.join('\n')}\n\n`)
}
