// What pause and unpause have in common: containers whose processes stand still, or go on.

import { Command } from 'commander'
import { pauseContainer, planPause } from '../containers/pause.ts'
import type { Subject } from '../learn/explain.ts'
import type { GlobalOptions } from './command.ts'
import { actOnEach } from './each-name.ts'
import { oneContainer } from './planned-container.ts'
import { type WatchFlags, watchOptions } from './watch-options.ts'

/** What one of the two commands says of itself. */
type Wording = { summary: string; examples: string; title: string }

/** What a command's file exports: the command of commander, and what `explain` and `script` of it are about. */
type Pausing = {
  command(globals: GlobalOptions): Command
  subject(words: string[], flags: object, globals: GlobalOptions): Promise<Subject>
}

/** One of the two commands. */
export function pausing(name: 'pause' | 'unpause', { summary, examples, title }: Wording): Pausing {
  return {
    command(globals) {
      const command = new Command(name)
        .summary(summary)
        .description(summary)
        .usage('[OPTIONS] CONTAINER [CONTAINER...]')
        .argument('<container...>', 'names, ids, or beginnings of ids')
      return watchOptions(command)
        .addHelpText('after', `\nExamples:\n${examples}`)
        .action(async (names: string[], flags: WatchFlags) => {
          await actOnEach(names, flags, globals, async (container, executor, observer) => {
            return await pauseContainer(container, globals, executor, { command: name, observer })
          })
        })
    },
    async subject(words, _, globals) {
      const container = oneContainer(words, globals)
      const plan = planPause(container, globals, name)
      const facts = { program: container.spec.process.args.join(' ') }
      return { plan, summary: { title, name: container.name, facts } }
    },
  }
}
