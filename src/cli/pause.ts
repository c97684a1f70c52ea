// minictr pause: has all processes of containers stand still.

import { Command } from 'commander'
import { pauseContainer, planPause } from '../containers/pause.ts'
import type { Subject } from '../learn/explain.ts'
import type { GlobalOptions } from './command.ts'
import { actOnEach } from './each-name.ts'
import { oneContainer } from './planned-container.ts'
import { type WatchFlags, watchOptions } from './watch-options.ts'

/** The `pause` command of commander. */
export function command(globals: GlobalOptions): Command {
  const pause = new Command('pause')
    .summary('Pause all processes within one or more containers')
    .description('Pause all processes within one or more containers')
    .usage('[OPTIONS] CONTAINER [CONTAINER...]')
    .argument('<container...>', 'names, ids, or beginnings of ids')
  return watchOptions(pause)
    .addHelpText(
      'after',
      `
Examples:
  minictr pause web                all its processes stand still where they are; no signal is sent
  minictr unpause web              and go on
  minictr explain pause web        which steps that takes, performing none`,
    )
    .action((names: string[], flags: WatchFlags) => perform(names, flags, globals))
}

async function perform(names: string[], flags: WatchFlags, globals: GlobalOptions): Promise<void> {
  await actOnEach(names, flags, globals, async (container, executor, observer) => {
    return await pauseContainer(container, globals, executor, { command: 'pause', observer })
  })
}

/** What `explain pause` and `script pause` are about. */
export async function subject(words: string[], _: object, globals: GlobalOptions): Promise<Subject> {
  const container = oneContainer(words, globals)
  const plan = planPause(container, globals, 'pause')
  const facts = { program: container.spec.process.args.join(' ') }
  return { plan, summary: { title: 'The pause of a container', name: container.name, facts } }
}
