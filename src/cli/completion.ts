// minictr completion: the script that lets a shell complete minictr's command lines.

import { Command } from 'commander'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'
import { completionScripts } from './completion-scripts.ts'

/** The `completion` command of commander. */
export function command(_: GlobalOptions): Command {
  return new Command('completion')
    .summary('Generate the completion script for a shell')
    .description('Generate the completion script for bash, zsh or fish')
    .usage('SHELL')
    .argument('<shell>', Object.keys(completionScripts).join(', '))
    .addHelpText(
      'after',
      `
Commands, flags, and the names of containers, images, volumes and networks are
completed. scripts/install puts the scripts where the shells look by themselves.

Examples:
  source <(minictr completion bash)
  minictr completion zsh > /usr/local/share/zsh/site-functions/_minictr
  minictr completion fish > ~/.config/fish/completions/minictr.fish`,
    )
    .action((shell: string) => {
      if (!Object.hasOwn(completionScripts, shell)) {
        throw new MinictrError(`there is no completion for ${JSON.stringify(shell)}`, {
          remedy: `There is for ${Object.keys(completionScripts).join(', ')}.`,
        })
      }
      process.stdout.write(completionScripts[shell]!)
    })
}
