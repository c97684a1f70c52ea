// The DNS server of a network: dnsmasq(8) at the gateway's address. It answers for the containers of the network out of a
// directory with a file for each, and asks the resolvers of the host for all other names.

import { hostsLine, type Named, namesOf } from './names.ts'

/** Below it all networks have a domain of their names, which no resolver outside is ever asked for. */
const DOMAIN = 'minictr'

/** The domain of a network's names: containers in several networks look for names there. */
export function networkDomain(networkName: string): string {
  return `${networkName}.${DOMAIN}`
}

export type DnsServer = {
  networkName: string
  /** The gateway's addresses, one of each family. */
  addresses: readonly string[]
  /**
   * With a file for each container; dnsmasq watches them (inotify(7)) and takes up at once what is new, other or gone. Passed over
   * are names that begin with a dot: a file is written under such a one and renamed. Everybody must be able to read them.
   */
  hostsDirectories: readonly string[]
  /** The host's /etc/resolv.conf; watched too. Without it nobody is asked for other names: that would be a way out. */
  resolverFile?: string
  pidFile: string
}

/**
 * The command line of a network's server, which goes to the background when it is ready. Needs dnsmasq 2.87 or later, the
 * first that forgets the names of a file that is gone. Source: dnsmasq(8).
 */
export function dnsServerCommand(server: DnsServer): string[] {
  const { networkName, addresses, hostsDirectories, resolverFile, pidFile } = server
  return [
    'dnsmasq',
    // Nothing of the host's own configuration.
    '--conf-file=/dev/null',
    '--no-hosts',
    ...hostsDirectories.map(directory => `--hostsdir=${directory}`),
    resolverFile === undefined ? '--no-resolv' : `--resolv-file=${resolverFile}`,
    ...addresses.map(address => `--listen-address=${address}`),
    // At these addresses alone, beside any other server of the host.
    '--bind-interfaces',
    // A name without a dot is a container's or nobody's: a container without IPv6 is not asked for elsewhere.
    '--domain-needed',
    // Nor is anybody asked for names in the domains of networks.
    ...[networkName, DOMAIN].map(domain => `--local=/${domain}/`),
    // Who is not there yet may be in a moment.
    '--no-negcache',
    `--pid-file=${pidFile}`,
    '--user=nobody',
  ]
}

/**
 * A container's file in the hosts directory: its names, also with the network's name behind them, for each of its
 * addresses. Where several containers have an alias in common, dnsmasq answers with all, another one first each time.
 */
export function dnsRecord(named: Named, networkName: string, addresses: readonly string[]): string {
  const names = namesOf(named)
  const [first, ...others] = wholeNames(named, networkName)
  // The first one is what the address is called (PTR).
  return lines(addresses, [first!, ...names, ...others])
}

/**
 * What the servers of all networks are told of it: the names with the network's name, or its domain, behind them. A container
 * that is in several networks asks one server for all of them.
 */
export function foreignDnsRecord(named: Named, networkName: string, addresses: readonly string[]): string {
  const domain = networkDomain(networkName)
  return lines(addresses, [...wholeNames(named, networkName), ...wholeNames(named, domain)])
}

function wholeNames(named: Named, networkName: string): string[] {
  return namesOf(named).map(name => `${name}.${networkName}`)
}

function lines(addresses: readonly string[], names: readonly string[]): string {
  return addresses.map(address => `${hostsLine(address, names)}\n`).join('')
}
