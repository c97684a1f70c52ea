// minictr restart: stops containers and starts them again.

import { Command } from 'commander'
import { planRestart, restartContainer } from '../containers/restart.ts'
import type { Subject } from '../learn/explain.ts'
import { summaryOf } from '../learn/summary.ts'
import type { GlobalOptions } from './command.ts'
import { actOnEach } from './each-name.ts'
import { oneContainer } from './planned-container.ts'
import { stopFlags, stopOptions } from './stop-flags.ts'
import { type WatchFlags, watchOptions } from './watch-options.ts'

export const saysLittle = true

/** The `restart` command of commander. */
export function command(globals: GlobalOptions): Command {
  const restart = new Command('restart')
    .summary('Restart one or more containers')
    .description('Restart one or more containers; those that do not run are started')
    .usage('[OPTIONS] CONTAINER [CONTAINER...]')
    .argument('<container...>', 'names, ids, or beginnings of ids')
  return watchOptions(stopFlags(restart))
    .addHelpText(
      'after',
      `
Examples:
  minictr restart web              stopped as by 'stop', started as by 'start'
  minictr restart -t 0 web         without giving it any time
  minictr explain restart web      which steps that takes, performing none`,
    )
    .action((names: string[], flags: WatchFlags) => perform(names, flags, globals, restart))
}

async function perform(
  names: string[],
  flags: WatchFlags,
  globals: GlobalOptions,
  parsed: Command,
): Promise<void> {
  const options = stopOptions(parsed)
  await actOnEach(names, flags, globals, async (container, executor, observer) => {
    return await restartContainer(container, globals, executor, { ...options, observer })
  })
}

/** What `explain restart` and `script restart` are about. */
export async function subject(
  words: string[],
  _: object,
  globals: GlobalOptions,
  parsed: Command,
): Promise<Subject> {
  const container = oneContainer(words, globals)
  const plan = await planRestart(container, globals, stopOptions(parsed))
  return { plan, summary: summaryOf(container.spec, container.record) }
}
