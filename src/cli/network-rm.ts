// minictr network rm: removes networks that no container is in.

import { Command } from 'commander'
import { finishRemovals, removeNetwork } from '../containers/network-removal.ts'
import { listNetworks } from '../containers/networks.ts'
import { recover } from '../containers/recover.ts'
import { findNetwork, type Network } from '../networks/network.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'
import { removeEach } from './remove-each.ts'

/** The `network rm` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('rm')
    .summary('Remove one or more networks')
    .description('Remove one or more networks. You cannot remove a network that a container is in.')
    .usage('[OPTIONS] NETWORK [NETWORK...]')
    .argument('<network...>', 'names, ids or beginnings of ids')
    .option('-f, --force', 'Do not error if the network does not exist')
    .addHelpText(
      'after',
      `
Examples:
  minictr network rm web
  minictr network rm $(minictr network ls -q --filter dangling=true)`,
    )
    .action((names: string[], flags: { force?: boolean }) => perform(names, flags.force === true, globals))
}

async function perform(names: string[], force: boolean, globals: GlobalOptions): Promise<void> {
  await recover(globals)
  await finishRemovals(globals)
  await removeEach(names, async name => {
    const found = find(name, force, globals)
    if (found === undefined) return false
    await removeNetwork(found, globals)
    return true
  })
}

function find(name: string, force: boolean, globals: GlobalOptions): Network | undefined {
  try {
    return findNetwork(listNetworks(globals), name)
  } catch (error) {
    if (force && error instanceof MinictrError && error.message.endsWith('not found')) return undefined
    throw error
  }
}
