// The command line of `network connect`.

import type { ConnectWish } from '../containers/connect.ts'
import type { Watching } from '../learn/watch.ts'
import { isPredefined } from '../networks/network.ts'
import { MinictrError } from '../system/error.ts'
import { parseCsv } from './flags/csv.ts'
import { addAlias, parseIp, parseLink, parsePriority } from './flags/endpoint.ts'
import { type FlagGroup, readMixedFlags } from './flags/flag.ts'
import { watchingFlags } from './flags/watching.ts'
import { usageError } from './usage-error.ts'

/** Docker's status for a wrong flag; what cannot be is told with 1. */
const WRONG_FLAG = 125

type Draft = ConnectWish & { options: Watching }

/** All flags of `network connect`. */
export const connectFlags: FlagGroup<Draft>[] = [
  {
    title: 'In the network',
    flags: [
      {
        name: 'alias',
        takes: 'strings',
        about: 'Add network-scoped alias for the container',
        set: ({ wish }, text) => {
          for (const alias of parseCsv(text)) addAlias(wish, alias)
        },
      },
      {
        name: 'ip',
        takes: 'string',
        about: 'IPv4 address (e.g., "172.30.100.104")',
        set: ({ wish }, text) => {
          wish.ipv4Address = parseIp(text, 4)
        },
      },
      {
        name: 'ip6',
        takes: 'string',
        about: 'IPv6 address (e.g., "2001:db8::33")',
        set: ({ wish }, text) => {
          wish.ipv6Address = parseIp(text, 6)
        },
      },
      {
        name: 'gw-priority',
        takes: 'int',
        about:
          'Highest gw-priority provides the default gateway. Accepts positive and negative values (default 0)',
        set: ({ wish }, text) => {
          wish.gatewayPriority = parsePriority(text)
        },
      },
      {
        name: 'link',
        takes: 'list',
        about: 'Add link to another container (NAME[:ALIAS])',
        set: ({ links }, text) => {
          links.push(parseLink(text))
        },
      },
      {
        name: 'link-local-ip',
        takes: 'strings',
        about: '',
        refuses: 'a container gets no other addresses than those of its networks',
      },
      { name: 'driver-opt', takes: 'strings', about: '', refuses: 'a place in a network has no options' },
    ],
  },
  watchingFlags,
]

export type ConnectOptions = ConnectWish & { container: string; watching: Watching }

/**
 * Parses what follows `minictr network connect` (`explain network connect`, `script network connect`: `program` is what errors
 * call it). The result is `'help'` where `--help` was asked for. Throws MinictrError in Docker's words.
 */
export function parseNetworkConnect(
  args: string[],
  program = 'minictr network connect',
  extra: FlagGroup<Draft>[] = [],
): ConnectOptions | 'help' {
  const watching: Watching = { step: false, timing: false }
  const draft: Draft = { wish: { name: '', aliases: [] }, links: [], options: watching }
  const groups = [...connectFlags, ...extra]
  const { asksForHelp, words } = readMixedFlags(groups, args, draft, program, WRONG_FLAG)
  if (asksForHelp) return 'help'
  const [name, container] = words
  if (words.length !== 2) throw usageError(`'${program}' requires 2 arguments`, program)
  const { wish, links } = draft
  if (isPredefined(name!) && wish.aliases.length > 0) {
    throw new MinictrError('network-scoped aliases are only supported for user-defined networks')
  }
  if (isPredefined(name!) && (wish.ipv4Address ?? wish.ipv6Address) !== undefined) {
    throw new MinictrError('user specified IP address is supported on user defined networks only')
  }
  const network = name === 'default' ? 'bridge' : name!
  return { container: container!, wish: { ...wish, name: network }, links, watching }
}
