// minictr unpause: lets the processes of paused containers go on.

import { Command } from 'commander'
import { pauseContainer, planPause } from '../containers/pause.ts'
import type { Subject } from '../learn/explain.ts'
import type { GlobalOptions } from './command.ts'
import { actOnEach } from './each-name.ts'
import { oneContainer } from './planned-container.ts'
import { type WatchFlags, watchOptions } from './watch-options.ts'

/** The `unpause` command of commander. */
export function command(globals: GlobalOptions): Command {
  const unpause = new Command('unpause')
    .summary('Unpause all processes within one or more containers')
    .description('Unpause all processes within one or more containers')
    .usage('[OPTIONS] CONTAINER [CONTAINER...]')
    .argument('<container...>', 'names, ids, or beginnings of ids')
  return watchOptions(unpause)
    .addHelpText(
      'after',
      `
Examples:
  minictr unpause web              its processes go on where they stood still
  minictr explain unpause web      which steps that takes, performing none`,
    )
    .action((names: string[], flags: WatchFlags) => perform(names, flags, globals))
}

async function perform(names: string[], flags: WatchFlags, globals: GlobalOptions): Promise<void> {
  await actOnEach(names, flags, globals, async (container, executor, observer) => {
    return await pauseContainer(container, globals, executor, { command: 'unpause', observer })
  })
}

/** What `explain unpause` and `script unpause` are about. */
export async function subject(words: string[], _: object, globals: GlobalOptions): Promise<Subject> {
  const container = oneContainer(words, globals)
  const plan = planPause(container, globals, 'unpause')
  const facts = { program: container.spec.process.args.join(' ') }
  return { plan, summary: { title: 'The going on of a paused container', name: container.name, facts } }
}
