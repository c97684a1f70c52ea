// minictr network create: a network before any container is in it.

import { recordEvent } from '../containers/events.ts'
import { finishRemovals } from '../containers/network-removal.ts'
import { createNetwork } from '../containers/networks.ts'
import { randomBytes } from '../system/random.ts'
import type { GlobalOptions } from './command.ts'
import { flagHelp } from './flag-help.ts'
import { createFlags, parseNetworkCreate } from './network-create-flags.ts'
import { print } from './output.ts'

const examples: [line: string, about: string][] = [
  ['minictr network create web', 'a bridge with a subnet that nobody uses'],
  ['minictr network create --subnet 10.20.0.0/24 --gateway 10.20.0.254 web', 'with addresses of your own'],
  ['minictr network create --internal back', 'without a way in or out'],
  ['minictr network create --ipv6 --subnet fd12:3456::/64 six', 'with IPv6 beside IPv4'],
  ['minictr network create -d macvlan -o parent=eth0 --subnet 192.0.2.0/24 lan', 'on the wire of this host'],
  ['minictr network create -o com.docker.network.driver.mtu=1400 vpn', 'with smaller packets'],
]

/** Records the network that the arguments describe and prints its id; returns the exit status. */
export async function perform(args: string[], globals: GlobalOptions): Promise<number> {
  const wish = parseNetworkCreate(args)
  if (wish === 'help') {
    return await print(
      flagHelp({
        name: 'minictr network create',
        usage: '[OPTIONS] NETWORK',
        summary: 'Create a network',
        groups: createFlags,
        remarks: [
          'The bridge itself, or the link of a macvlan or ipvlan network, is made for the first container.',
        ],
        examples,
      }),
    )
  }
  await finishRemovals(globals)
  const id = randomBytes(32).toString('hex')
  const network = await createNetwork(wish, globals, id, new Date().toISOString())
  const { name, driver } = network
  recordEvent(globals, { type: 'network', action: 'create', id, attributes: { name, type: driver } })
  return await print(`${id}\n`)
}
