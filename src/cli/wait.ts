// minictr wait: waits until containers do not run, and prints how each one ended.

import { Command } from 'commander'
import { findContainer } from '../containers/lookup.ts'
import { recover } from '../containers/recover.ts'
import { waitForContainer } from '../containers/wait.ts'
import type { GlobalOptions } from './command.ts'
import { eachNameAtOnce } from './each-name.ts'
import { say } from './output.ts'

export const saysLittle = true

/** The `wait` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('wait')
    .summary('Block until one or more containers stop, then print their exit codes')
    .description('Block until one or more containers stop, then print their exit codes')
    .usage('CONTAINER [CONTAINER...]')
    .argument('<container...>', 'names, ids, or beginnings of ids')
    .addHelpText(
      'after',
      `
A line for each name, in their order: the exit code, or the word unknown where nobody saw how the
container ended, because its monitor was killed; the status of this command is 1 then.

Examples:
  minictr wait job                 blocks until it has ended, and prints 0 if all went well
  minictr wait one two three       three numbers, when the last of them has ended`,
    )
    .action((names: string[]) => perform(names, globals))
}

async function perform(names: string[], globals: GlobalOptions): Promise<void> {
  await recover(globals)
  await eachNameAtOnce(names, globals, async name => {
    const status = await waitForContainer(findContainer(globals, name), globals)
    if (status !== undefined) return String(status)
    say('stderr', `minictr: nobody saw how container ${name} ended: its monitor was killed\n`)
    process.exitCode = 1
    return 'unknown'
  })
}
