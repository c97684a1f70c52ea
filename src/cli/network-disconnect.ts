// minictr network disconnect: a container leaves a network.

import { Command } from 'commander'
import { decideDisconnect, disconnect } from '../containers/connect.ts'
import { findContainer } from '../containers/lookup.ts'
import { recover } from '../containers/recover.ts'
import type { Subject } from '../learn/explain.ts'
import type { GlobalOptions } from './command.ts'
import { type WatchFlags, watchingOf, watchOptions } from './watch-options.ts'

type Flags = WatchFlags & { force?: boolean }

/** The `network disconnect` command of commander. */
export function command(globals: GlobalOptions): Command {
  const disconnect = new Command('disconnect')
    .summary('Disconnect a container from a network')
    .description(
      'Disconnect a container from a network. Its other networks stay as they are; where it went out by this one, it goes out by another one from now on. Ports that were published by this network are free until the container starts again.',
    )
    .usage('[OPTIONS] NETWORK CONTAINER')
    .argument('<network>', 'a name, an id, or the beginning of an id')
    .argument('<container>', 'a name, an id, or the beginning of an id')
    .option('-f, --force', 'Force the container to disconnect from a network: also one that is gone')
  return watchOptions(disconnect)
    .addHelpText(
      'after',
      `
Examples:
  minictr network disconnect back web
  minictr network disconnect -f back web             where something is left of a container that is gone
  minictr explain network disconnect back web        which steps that takes, performing none`,
    )
    .action((network: string, container: string, flags: Flags) => perform(network, container, flags, globals))
}

async function perform(
  networkText: string,
  container: string,
  flags: Flags,
  globals: GlobalOptions,
): Promise<void> {
  const { force = false } = flags
  await recover(globals)
  const watch = await watchingOf(flags)
  await disconnect(container, { networkText, force }, globals, watch?.observer).finally(watch?.finish)
}

/** What `explain network disconnect` and `script network disconnect` are about. */
export async function subject(
  [networkText = '', text = '']: string[],
  _: object,
  globals: GlobalOptions,
): Promise<Subject> {
  const container = findContainer(globals, text)
  const { plan, network } = decideDisconnect(networkText, globals)(container)
  const facts = { network: `${network.name}, ${network.driver}` }
  return { plan, summary: { title: 'One network less for a container', name: container.name, facts } }
}
