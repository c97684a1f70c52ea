// minictr network connect: a container joins one more network.

import { connect, decideConnect } from '../containers/connect.ts'
import { findContainer } from '../containers/lookup.ts'
import { recover } from '../containers/recover.ts'
import type { Subject } from '../learn/explain.ts'
import type { GlobalOptions } from './command.ts'
import { flagHelp } from './flag-help.ts'
import { type ConnectOptions, connectFlags, parseNetworkConnect } from './network-connect-flags.ts'
import { print } from './output.ts'
import { watching } from './watching.ts'

const examples: [line: string, about: string][] = [
  ['minictr network connect back web', 'a container that runs has one more link at once'],
  ['minictr network connect --alias db --ip 10.20.0.9 back web', 'with a name and an address of your choice'],
  ['minictr network connect --gw-priority 1 lan web', 'and what leaves it leaves by this network'],
  ['minictr explain network connect back web', 'which steps that takes, performing none'],
]

/** Joins the container to the network that the arguments name; returns the exit status. */
export async function perform(args: string[], globals: GlobalOptions): Promise<number> {
  const options = parseNetworkConnect(args)
  if (options === 'help') {
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
  const watch = await watching(options.watching)
  await connect(options.container, options, globals, watch?.observer).finally(watch?.finish)
  return 0
}

/** What `explain network connect` and `script network connect` are about. */
export function subject(options: ConnectOptions, globals: GlobalOptions): Subject {
  const container = findContainer(globals, options.container)
  const { plan, network } = decideConnect(options, globals)(container)
  const facts = { network: `${network.name}, ${network.driver}` }
  return { plan, summary: { title: 'One more network for a container', name: container.name, facts } }
}
