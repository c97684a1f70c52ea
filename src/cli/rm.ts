// minictr rm: removes containers, with their writable layers and names.

import { Command } from 'commander'
import { recover } from '../containers/recover.ts'
import { removeContainer } from '../containers/remove.ts'
import { findContainer } from '../containers/state.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'
import { explain } from './failure.ts'

/** The `rm` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('rm')
    .summary('Remove one or more containers')
    .description('Remove one or more containers')
    .usage('[OPTIONS] CONTAINER [CONTAINER...]')
    .argument('<container...>', 'names, ids, or beginnings of ids')
    .option('-f, --force', 'Force the removal of a running container (uses SIGKILL)')
    .addHelpText(
      'after',
      `
Examples:
  minictr rm calm_hopper                by its name
  minictr rm 4e5f 91ab                  by the beginnings of their ids
  minictr rm -f web                     even while it runs
  minictr rm $(minictr ps -aq)          all that do not run`,
    )
    .action((names: string[], flags: { force?: boolean }) => perform(names, flags.force === true, globals))
}

/** One name that fails does not keep the others: all are tried, the status tells. */
async function perform(names: string[], force: boolean, globals: GlobalOptions): Promise<void> {
  await recover(globals)
  for (const name of names) {
    try {
      await removeContainer(findContainer(globals, name), globals, force)
      process.stdout.write(`${name}\n`)
    } catch (error) {
      if (!(error instanceof MinictrError)) throw error
      if (force && error.message.startsWith('No such container')) continue
      process.stderr.write(explain(error, globals.debug))
      process.exitCode = 1
    }
  }
}
