// minictr network connect: a container joins one more network.

import { connect } from '../containers/connect.ts'
import { recover } from '../containers/recover.ts'
import type { GlobalOptions } from './command.ts'
import { flagHelp } from './flag-help.ts'
import { connectFlags, parseNetworkConnect } from './network-connect-flags.ts'
import { print } from './output.ts'

const examples: [line: string, about: string][] = [
  ['minictr network connect back web', 'a container that runs has one more link at once'],
  ['minictr network connect --alias db --ip 10.20.0.9 back web', 'with a name and an address of your choice'],
  ['minictr network connect --gw-priority 1 lan web', 'and what leaves it leaves by this network'],
]

/** Joins the container to the network that the arguments name; returns the exit status. */
export async function perform(args: string[], globals: GlobalOptions): Promise<number> {
  const wish = parseNetworkConnect(args)
  if (wish === 'help') {
    return await print(
      flagHelp({
        name: 'minictr network connect',
        usage: '[OPTIONS] NETWORK CONTAINER',
        summary: 'Connect a container to a network',
        groups: connectFlags,
        remarks: [
          'A container that does not run joins it when it starts. Ports that were published with `run -p`',
          'stay with the network they were published by.',
        ],
        examples,
      }),
    )
  }
  await recover(globals)
  await connect(wish.container, wish, globals)
  return 0
}
