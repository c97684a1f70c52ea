// minictr top: the processes of a container, as this host sees them.

import { Command } from 'commander'
import { findContainer } from '../containers/lookup.ts'
import { processTable } from '../containers/processes.ts'
import { recover } from '../containers/recover.ts'
import { visible } from '../system/visible.ts'
import type { GlobalOptions } from './command.ts'
import { table } from './table.ts'

const LEAST_WIDTH = 20

/** The `top` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('top')
    .summary('Display the running processes of a container')
    .description('Display the running processes of a container')
    .usage('CONTAINER [ps OPTIONS]')
    .argument('<container>', 'name, id, or the beginning of an id')
    .argument('[options...]', 'what ps(1) is called with (default -ef)')
    .passThroughOptions()
    .addHelpText(
      'after',
      `
PIDs and users are those of this host. One of the columns has to be PID.

Examples:
  minictr top web
  minictr top web aux
  minictr top web -o pid,rss,args
  minictr top web -eo pid,stat,wchan:20,comm`,
    )
    .action((name: string, options: string[]) => perform(name, options, globals))
}

async function perform(name: string, options: string[], globals: GlobalOptions): Promise<void> {
  await recover(globals)
  const { titles, processes } = await processTable(findContainer(globals, name), options)
  process.stdout.write(table([titles, ...processes.map(fields => fields.map(visible))], LEAST_WIDTH))
}
