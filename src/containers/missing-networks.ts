// What the kernel needs for networks and does not have yet: rules, bridges, DNS servers.

import { parseCidr } from '../networks/address.ts'
import { dnsServerCommand } from '../networks/dns-server.ts'
import { hasOwnTable } from '../networks/foreign-firewall.ts'
import { filteredNetwork, forwardedPorts } from '../networks/forwarding.ts'
import { bridgeName } from '../networks/link-names.ts'
import { macAddressOf } from '../networks/mac.ts'
import { DEFAULT_NETWORK, type Network, settingsOf } from '../networks/network.ts'
import { bareAddressesOf, isServed } from '../networks/new-endpoint.ts'
import { addNetworkRules, addPortRules, baseRuleset } from '../networks/ruleset.ts'
import type { NetworkStore } from '../networks/store.ts'
import type { PlannedBridge, PlannedNameServer, PlannedNetworks } from '../runtime/planned-networks.ts'
import { missingHostSettings } from './forwarding-settings.ts'
import type { NetworkHost } from './network-host.ts'
import type { NetworkSurroundings } from './networks.ts'

export type MissingNetworks = Pick<PlannedNetworks, 'hostSettings' | 'rules' | 'bridges' | 'nameServers'>

/**
 * What is to be made before a container joins the networks; usually nothing. `isNew`: the default network is yet to be recorded,
 * and what is there of it is about to go.
 */
export function missingNetworks(
  networks: readonly Network[],
  isNew: boolean,
  { store, host, chains }: NetworkSurroundings,
): MissingNetworks {
  const bridged = networks.filter(({ driver }) => driver === 'bridge')
  const missing = bridged.filter(network => {
    return (isNew && network.id === DEFAULT_NETWORK.id) || !isReady(network, store, host)
  })
  const areRulesLost = bridged.length > 0 && chains !== undefined && !hasOwnTable(chains)
  return {
    hostSettings: missingHostSettings(networks, host),
    ...(areRulesLost
      ? { rules: baseRuleset + allRules([...missing, ...readyNetworks(store, host)], store) }
      : missing.length > 0 && { rules: baseRuleset + networkRules(missing) }),
    bridges: missing.map(network => plannedBridge(network, store)),
    nameServers: networks
      .filter(network => isServed(network) && serverPid(network.id, store, host) === undefined)
      .map(network => plannedNameServer(network, store)),
  }
}

function networkRules(networks: readonly Network[]): string {
  return networks.map(network => addNetworkRules(filteredNetwork(network))).join('')
}

/** Somebody has flushed the rules of this host: what other networks and their containers had among them comes back. */
function allRules(networks: readonly Network[], store: NetworkStore): string {
  const whole = [...new Map(networks.map(network => [network.id, network])).values()]
  const endpoints = whole.flatMap(({ id }) => store.endpoints(id))
  const ports = endpoints.flatMap(each => forwardedPorts(each.ports, bareAddressesOf(each)))
  return networkRules(whole) + addPortRules(ports)
}

function readyNetworks(store: NetworkStore, host: NetworkHost): Network[] {
  return store.list().filter(network => network.driver === 'bridge' && isReady(network, store, host))
}

function isReady(network: Network, store: NetworkStore, host: NetworkHost): boolean {
  return host.exists(store.readyFile(network.id)) && host.hasLink(bridgeName(network))
}

function plannedBridge(network: Network, store: NetworkStore): PlannedBridge {
  const { mtu } = settingsOf(network)
  const addresses = network.subnets.map(
    ({ subnet, gateway }) => `${gateway}/${parseCidr(subnet)!.subnet.prefixLength}`,
  )
  return {
    name: bridgeName(network),
    macAddress: macAddressOf(parseCidr(addresses[0]!)!.address),
    ...(mtu !== undefined && { mtu }),
    alias: `minictr network ${network.name}`,
    addresses,
    settings: bridgeSettings(network),
    readyFile: store.readyFile(network.id),
  }
}

/**
 * The kernel asks for a while whether somebody has the link's own address, by which it asks for those of containers. Nobody has:
 * nothing is at the bridge yet.
 */
function bridgeSettings(network: Network): PlannedBridge['settings'] {
  if (!network.hasIpv6) return []
  return [{ path: `/proc/sys/net/ipv6/conf/${bridgeName(network)}/accept_dad`, value: '0' }]
}

/** Where dnsmasq may be. */
export const DNSMASQ = ['/usr/sbin/dnsmasq', '/usr/local/sbin/dnsmasq', '/usr/bin/dnsmasq']

function plannedNameServer(network: Network, store: NetworkStore): PlannedNameServer {
  const { lockFile, pidFile, hosts } = store.nameServer(network.id)
  const argv = dnsServerCommand({
    networkNames: [network.name],
    addresses: network.subnets.flatMap(({ gateway }) => gateway ?? []),
    hostsDirectories: [hosts],
    upstream: network.isInternal ? { servers: [] } : { resolverFile: '/etc/resolv.conf' },
    pidFile,
  })
  return { directories: [hosts], lockFile, pidFile, candidates: DNSMASQ, argv }
}

/** The PID of a network's DNS server; undefined where none runs. */
export function serverPid(id: string, store: NetworkStore, host: NetworkHost): number | undefined {
  const { pidFile } = store.nameServer(id)
  const pid = host.readText(pidFile).trim()
  // Another process may have the PID by now; one that has ended has no command line.
  const isServer = pid !== '' && host.readText(`/proc/${pid}/cmdline`).includes(pidFile)
  return isServer ? Number(pid) : undefined
}
