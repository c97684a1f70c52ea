// minictr stop: asks the programs of containers to end, and kills those that do not.

import type { Command } from 'commander'
import { stopSignalOf } from '../containers/program.ts'
import { planStop, type StopOptions, stopContainer } from '../containers/stop.ts'
import type { Subject } from '../learn/explain.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'
import { actOnEach } from './each-name.ts'
import { sayLeftovers } from './leftovers.ts'
import { oneContainer } from './planned-container.ts'
import { stopFlags, stopOptions } from './stop-flags.ts'
import { type WatchFlags, watchOptions } from './watch-options.ts'

export const saysLittle = true

/** The `stop` command of commander. */
export async function command(globals: GlobalOptions): Promise<Command> {
  const { Command } = await import('commander')
  const stop = new Command('stop')
    .summary('Stop one or more running containers')
    .description('Stop one or more running containers')
    .usage('[OPTIONS] CONTAINER [CONTAINER...]')
    .argument('<container...>', 'names, ids, or beginnings of ids')
  return watchOptions(stopFlags(stop))
    .addHelpText(
      'after',
      `
Examples:
  minictr stop web                 SIGTERM, or the signal that the image names; after ten seconds SIGKILL
  minictr stop -t 60 db            with a minute to put things in order
  minictr stop -s SIGINT shell     with another signal
  minictr stop --step web          one step at a time
  minictr explain stop web         which steps that takes, performing none`,
    )
    .action((names: string[], flags: WatchFlags) => perform(names, flags, stopOptions(stop), globals))
}

/** `stop` without flags. */
export function onNames(names: string[], globals: GlobalOptions): Promise<void> {
  return perform(names, {}, {}, globals)
}

async function perform(
  names: string[],
  flags: WatchFlags,
  options: StopOptions,
  globals: GlobalOptions,
): Promise<void> {
  await actOnEach(names, flags, globals, async (container, executor, observer) => {
    const leftovers = await stopContainer(container, globals, executor, { ...options, observer })
    sayLeftovers(leftovers ?? [])
    return leftovers !== undefined
  })
}

/** What `explain stop` and `script stop` are about. */
export async function subject(
  words: string[],
  _: object,
  globals: GlobalOptions,
  parsed: Command,
): Promise<Subject> {
  const container = oneContainer(words, globals)
  if (container.status !== 'running') {
    throw new MinictrError(`container ${container.name} is not running: to stop it takes no steps`)
  }
  const options = stopOptions(parsed)
  const plan = await planStop(container, globals, options)
  const { record, run, spec } = container
  const facts = {
    process: `${run!.pid}, ${spec.process.args.join(' ')}`,
    signal: `${options.signal ?? stopSignalOf(record)}, then SIGKILL`,
  }
  return { plan, summary: { title: 'The stop of a container', name: container.name, facts } }
}
