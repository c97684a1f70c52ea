// DNS servers: dnsmasq(8), at the gateway's address of a network, or in the network namespace of a container that needs one of
// its own. It answers for the containers of networks out of directories with a file for each, and asks others for all other names.

import { hostsLine, type Named, namesOf } from './names.ts'

export type DnsServer = {
  /** The networks whose containers it knows. */
  networkNames: readonly string[]
  /** Where it answers: the gateway's addresses, one of each family, or a loopback address. */
  addresses: readonly string[]
  /** 53 where nothing is said. */
  port?: number
  /**
   * With a file for each container; dnsmasq watches them (inotify(7)) and takes up at once what is new, other or gone. Passed over
   * are names that begin with a dot: a file is written under such a one and renamed. Everybody must be able to read them.
   */
  hostsDirectories: readonly string[]
  /**
   * Who is asked for other names: the servers of a file of the host's, which is watched too, or these, each when those before it do
   * not know. Without any nobody is asked: that would be a way out.
   */
  upstream: { resolverFile: string } | { servers: readonly string[] }
  pidFile: string
}

/**
 * The command line of a server, which goes to the background when it is ready. Needs dnsmasq 2.87 or later, the first that
 * forgets the names of a file that is gone. Source: dnsmasq(8).
 */
export function dnsServerCommand(server: DnsServer): string[] {
  const { networkNames, addresses, port, hostsDirectories, upstream, pidFile } = server
  return [
    'dnsmasq',
    // Nothing of the host's own configuration.
    '--conf-file=/dev/null',
    '--no-hosts',
    ...hostsDirectories.map(directory => `--hostsdir=${directory}`),
    ...('servers' in upstream
      ? ['--no-resolv', ...upstream.servers.map(each => `--server=${each}`), '--strict-order']
      : [`--resolv-file=${upstream.resolverFile}`]),
    ...addresses.map(address => `--listen-address=${address}`),
    ...(port === undefined ? [] : [`--port=${port}`]),
    // At these addresses alone, beside any other server of the host.
    '--bind-interfaces',
    // A name without a dot is a container's or nobody's: a container without IPv6 is not asked for elsewhere.
    '--domain-needed',
    // Nor is anybody asked for names in the domains of the networks.
    ...networkNames.map(name => `--local=/${name}/`),
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
  const [first, ...others] = names.map(name => `${name}.${networkName}`)
  // The first one is what the address is called (PTR).
  const all = [first!, ...names, ...others]
  return addresses.map(address => `${hostsLine(address, all)}\n`).join('')
}
