// A container's own DNS server: dnsmasq(8) in its network namespace, where no server at a gateway could answer for it.

import { dnsServerCommand } from './dns-server.ts'
import type { Network } from './network.ts'
import { hasNames, isServed } from './new-endpoint.ts'

/** Where it is asked, as in Docker. */
export const RESOLVER_ADDRESS = '127.0.0.11'
/**
 * Where it listens: port 53 is left to a DNS server that is the container's program, and this one is outside of the ports that the
 * kernel gives to connections (ip_local_port_range).
 */
const RESOLVER_PORT = 61_053

const TABLE = 'ip minictr_dns'
const protocols = ['udp', 'tcp']

/**
 * Rules for the container's namespace: who asks port 53 of the address asks the server. Ports are changed both ways without
 * connection tracking, which all other packets of the container would pass as well. Loading them again is harmless. Source: nft(8).
 */
export const resolverRules = `table ${TABLE} {
	chain output { type filter hook output priority mangle; policy accept; }
}
flush chain ${TABLE} output
table ${TABLE} {
	chain output {
${protocols
  .flatMap(each => [
    `		ip daddr ${RESOLVER_ADDRESS} ${each} dport 53 ${each} dport set ${RESOLVER_PORT}`,
    `		ip saddr ${RESOLVER_ADDRESS} ${each} sport ${RESOLVER_PORT} ${each} sport set 53`,
  ])
  .join('\n')}
	}
}
`

/** Takes them away, and may come twice. */
export const removeResolverRules = `add table ${TABLE}\ndelete table ${TABLE}\n`

/**
 * Whether a container in these networks needs a server of its own: one at a gateway knows a single network, is not there where this
 * host has no address, and asks the host's resolvers, not those that the container was given (`dnsServers`).
 */
export function needsResolver(networks: readonly Network[], dnsServers: readonly string[]): boolean {
  const named = networks.filter(hasNames)
  return named.length > 1 || (named.length === 1 && (!isServed(named[0]!) || dnsServers.length > 0))
}

export type Resolver = {
  /** The container's, the one that is its way out first. */
  networks: readonly Network[]
  /** `--dns`. */
  dnsServers: readonly string[]
  /** The host's that a network namespace of its own can reach. */
  hostServers: readonly string[]
  /** One for each network that has names. */
  hostsDirectories: readonly string[]
  pidFile: string
}

/**
 * Its command line. From the container's namespace it reaches what the container does and nothing else: in internal networks
 * nobody but the servers that were given, if they are there.
 */
export function resolverCommand(resolver: Resolver): string[] {
  const { networks, hostsDirectories, pidFile } = resolver
  return dnsServerCommand({
    networkNames: networks.filter(hasNames).map(({ name }) => name),
    addresses: [RESOLVER_ADDRESS],
    port: RESOLVER_PORT,
    hostsDirectories,
    upstream: { servers: upstreamOf(resolver) },
    pidFile,
  })
}

/** The server at a gateway reaches resolvers on the host's loopback too. */
function upstreamOf({ networks, dnsServers, hostServers }: Resolver): readonly string[] {
  if (dnsServers.length > 0) return dnsServers
  const outward = networks.filter(({ isInternal }) => !isInternal)
  const gateway = outward.find(isServed)?.subnets[0]?.gateway
  if (gateway !== undefined) return [gateway]
  return outward.length > 0 ? hostServers : []
}
