// minictr kill: sends a signal to the programs of containers.

import type { Command } from 'commander'
import { killContainer, planKill } from '../containers/kill.ts'
import { checkSignal } from '../containers/program.ts'
import type { Subject } from '../learn/explain.ts'
import type { GlobalOptions } from './command.ts'
import { actOnEach } from './each-name.ts'
import { sayLeftovers } from './leftovers.ts'
import { oneContainer } from './planned-container.ts'
import { type WatchFlags, watchOptions } from './watch-options.ts'

type Flags = WatchFlags & { signal?: string }

export const saysLittle = true

/** The `kill` command of commander. */
export async function command(globals: GlobalOptions): Promise<Command> {
  const { Command } = await import('commander')
  const kill = new Command('kill')
    .summary('Kill one or more running containers')
    .description('Kill one or more running containers, or send them another signal')
    .usage('[OPTIONS] CONTAINER [CONTAINER...]')
    .argument('<container...>', 'names, ids, or beginnings of ids')
    .option('-s, --signal <string>', 'Signal to send to the container (default SIGKILL)')
  return watchOptions(kill)
    .addHelpText(
      'after',
      `
Examples:
  minictr kill web                 SIGKILL: at once, and without a chance to put things in order
  minictr kill -s HUP proxy        another signal: here to have a program read its configuration anew
  minictr explain kill web         which steps that takes, performing none`,
    )
    .action((names: string[], flags: Flags) => perform(names, flags, globals))
}

/** `kill` without flags. */
export function onNames(names: string[], globals: GlobalOptions): Promise<void> {
  return perform(names, {}, globals)
}

async function perform(names: string[], flags: Flags, globals: GlobalOptions): Promise<void> {
  const signal = signalOf(flags)
  await actOnEach(names, flags, globals, async (container, executor, observer) => {
    const leftovers = await killContainer(container, globals, executor, { signal, observer })
    sayLeftovers(leftovers ?? [])
    return leftovers !== undefined
  })
}

/** What `explain kill` and `script kill` are about. */
export async function subject(words: string[], flags: Flags, globals: GlobalOptions): Promise<Subject> {
  const signal = signalOf(flags)
  const container = oneContainer(words, globals)
  const plan = await planKill(container, globals, signal)
  const facts = { process: `${container.run!.pid}, ${container.spec.process.args.join(' ')}`, signal }
  return { plan, summary: { title: 'A signal to a container', name: container.name, facts } }
}

function signalOf({ signal = 'SIGKILL' }: Flags): string {
  checkSignal(signal)
  return signal
}
