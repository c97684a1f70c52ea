// Where this host sends packets: the routes it has, read from the files in which the kernel lists them.

import { parseAddress, type Subnet, subnetOf } from './address.ts'

/** Routes this short are default routes, or the halves of one (VPNs use 0.0.0.0/1 and 128.0.0.0/1 as such). */
const LONGEST_DEFAULT = 1

/**
 * The destinations of all IPv4 routes but default ones, of every routing table, out of the text of /proc/net/fib_trie: a
 * leaf's address, and below it a line for each length. Source: net/ipv4/fib_trie.c, fib_trie_seq_show.
 */
export function parseIpv4Routes(text: string): Subnet[] {
  const routes: Subnet[] = []
  let leaf: ReturnType<typeof parseAddress>
  for (const line of text.split('\n')) {
    const address = /^\s*\|-- (\S+)/.exec(line)
    if (address) leaf = parseAddress(address[1]!)
    const length = /^\s*\/(\d+) /.exec(line)
    if (length && leaf && Number(length[1]) > LONGEST_DEFAULT) routes.push(subnetOf(leaf, Number(length[1])))
  }
  return withoutRepeats(routes)
}

/**
 * The same for IPv6, out of the text of /proc/net/ipv6_route, where a line begins with the destination's 32 digits and its
 * length. Source: net/ipv6/route.c, ipv6_route_native_seq_show.
 */
export function parseIpv6Routes(text: string): Subnet[] {
  const routes = [...text.matchAll(/^([0-9a-f]{32}) ([0-9a-f]{2}) /gm)].flatMap(([, digits, length]) => {
    const prefixLength = Number.parseInt(length!, 16)
    if (prefixLength <= LONGEST_DEFAULT) return []
    return [subnetOf({ family: 6, value: BigInt(`0x${digits}`) }, prefixLength)]
  })
  return withoutRepeats(routes)
}

/** The tables "main" and "local" have much in common. */
function withoutRepeats(routes: Subnet[]): Subnet[] {
  const seen = new Map(routes.map(route => [`${route.first}/${route.prefixLength}`, route]))
  return [...seen.values()]
}
