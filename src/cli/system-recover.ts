// minictr system recover: undoes what killed processes left behind.

import { Command } from 'commander'
import { finishRemovals } from '../containers/network-removal.ts'
import { recover } from '../containers/recover.ts'
import { sweep } from '../containers/sweep.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'

/** The `system recover` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('recover')
    .usage('[OPTIONS]')
    .summary('Undo what killed processes left behind')
    .description(
      'Undo, from their journals, what is left of containers whose processes were killed; other commands do the same where they meet it. Remove what a reboot or a removal that was cut short has left: names and directories without a container, and containers that were to go at their end (--rm).',
    )
    .addHelpText(
      'after',
      `
Examples:
  minictr system recover          everything whose monitor is gone, and all that is nobody's`,
    )
    .action(async () => {
      const failed = [...(await recover(globals)), ...(await sweep(globals))]
      await finishRemovals(globals)
      if (failed.length === 0) return
      throw new MinictrError(`not everything could be undone:\n${failed.join('\n')}`, {
        remedy: 'Remove the causes and call `minictr system recover` again.',
      })
    })
}
