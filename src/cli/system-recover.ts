// minictr system recover: undoes what killed processes left behind.

import { Command } from 'commander'
import { recover } from '../containers/recover.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'

/** The `system recover` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('recover')
    .summary('Undo what killed processes left behind')
    .description(
      'Undo, from their journals, what is left of containers whose processes were killed. Other commands do the same where they meet it; the monitor calls this when a container ends and nobody waits for it.',
    )
    .usage('[CONTAINER-ID]')
    .argument('[id]', 'only this container, by its whole id')
    .addHelpText(
      'after',
      `
Examples:
  minictr system recover          everything whose monitor is gone`,
    )
    .action(async (id: string | undefined) => {
      const failed = await recover(globals, id)
      if (failed.length === 0) return
      throw new MinictrError(`not everything could be undone:\n${failed.join('\n')}`, {
        remedy: 'Remove the causes and call `minictr system recover` again.',
      })
    })
}
