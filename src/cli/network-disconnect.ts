// minictr network disconnect: a container leaves a network.

import { Command } from 'commander'
import { disconnect } from '../containers/connect.ts'
import { recover } from '../containers/recover.ts'
import type { GlobalOptions } from './command.ts'

/** The `network disconnect` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('disconnect')
    .summary('Disconnect a container from a network')
    .description(
      'Disconnect a container from a network. Its other networks stay as they are; where it went out by this one, it goes out by another one from now on. Ports that were published by this network are free until the container starts again.',
    )
    .usage('[OPTIONS] NETWORK CONTAINER')
    .argument('<network>', 'a name, an id, or the beginning of an id')
    .argument('<container>', 'a name, an id, or the beginning of an id')
    .option('-f, --force', 'Force the container to disconnect from a network: also one that is gone')
    .addHelpText(
      'after',
      `
Examples:
  minictr network disconnect back web
  minictr network disconnect -f back web     where something is left of a container that is gone`,
    )
    .action(async (network: string, container: string, { force = false }: { force?: boolean }) => {
      await recover(globals)
      await disconnect(container, network, force, globals)
    })
}
