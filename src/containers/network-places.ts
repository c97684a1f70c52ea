// A container's place in a network, as the steps of its start need it: files, a link, names.

import type { Family } from '../networks/address.ts'
import { dnsRecord } from '../networks/dns-server.ts'
import type { Endpoint } from '../networks/endpoint.ts'
import { bridgeName } from '../networks/link-names.ts'
import type { Named } from '../networks/names.ts'
import { type Network, settingsOf, subnetConfigOf } from '../networks/network.ts'
import { addressesOf, bareAddressesOf, hasNames } from '../networks/new-endpoint.ts'
import type { NetworkStore } from '../networks/store.ts'
import type { DefaultRoute, LinkKind, PlannedLink, PlannedPlace } from '../runtime/planned-networks.ts'
import type { NetworkHost } from './network-host.ts'

/** A network that a container joins, and what it is there. */
export type Join = {
  network: Network
  gatewayPriority?: number
  endpoint: Endpoint
  /** With the aliases it has in this network. */
  named: Named
  /** Somebody chose its hardware address. */
  hasOwnMac: boolean
}

export type PlaceContext = {
  store: NetworkStore
  host: NetworkHost
  /** The families for which this network is the container's way out. */
  wayOutOf: readonly Family[]
}

/** What the steps of a start need to know of the place. */
export function plannedPlace(join: Join, context: PlaceContext): PlannedPlace {
  const { network, endpoint } = join
  const { store } = context
  return {
    networkName: network.name,
    networkFile: store.recordFile(network.id),
    claims: bareAddressesOf(endpoint).map(address => store.addressFile(network.id, address)),
    endpoint: {
      path: store.endpointFile(network.id, endpoint.containerId),
      content: endpointText(endpoint),
    },
    link: plannedLink(join, context),
    names: nameFiles(join, store),
  }
}

/** How it is written down. */
export function endpointText(endpoint: Endpoint): string {
  return `${JSON.stringify(endpoint, null, 2)}\n`
}

function plannedLink(join: Join, { host, wayOutOf }: PlaceContext): PlannedLink {
  const { network, endpoint } = join
  const { mtu } = settingsOf(network)
  const { macAddress } = endpoint
  return {
    name: endpoint.interfaceName,
    kind: linkKind(network, endpoint, host),
    ...(macAddress !== undefined && { macAddress }),
    ...(mtu !== undefined && { mtu }),
    addresses: addressesOf(endpoint),
    defaultRoutes: wayOutOf.map(family => defaultRoute(network, family)),
    settings: linkSettings(join, host),
  }
}

function linkKind(network: Network, { containerId, linkName, ports }: Endpoint, host: NetworkHost): LinkKind {
  const { parentLink = '', mode } = settingsOf(network)
  switch (network.driver) {
    case 'macvlan':
      return { driver: 'macvlan', parent: parentLink, mode: (mode ?? 'bridge') as 'bridge' }
    case 'ipvlan':
      return { driver: 'ipvlan', parent: parentLink, mode: (mode ?? 'l2') as 'l2' }
    default:
      return {
        driver: 'bridge',
        hostLink: linkName!,
        bridge: bridgeName(network),
        alias: `minictr ${containerId.slice(0, 12)} ${network.name}`,
        isHairpin: ports.length > 0 && isBridgeFiltered(host),
      }
  }
}

/** Whether what passes a bridge passes the packet filter too (br_netfilter): there a port leads back to who asked. */
export function isBridgeFiltered(host: NetworkHost): boolean {
  return host.readText('/proc/sys/net/bridge/bridge-nf-call-iptables').trim() === '1'
}

/** The route by which packets of the family leave by the network. */
export function defaultRoute(network: Network, family: Family): DefaultRoute {
  const destination = family === 4 ? '0.0.0.0/0' : '::/0'
  const { gateway } = subnetConfigOf(network, family)!
  // On layer 3 nobody is asked for a gateway's hardware address.
  const isRouted = network.driver === 'ipvlan' && settingsOf(network).mode?.startsWith('l3')
  return isRouted || gateway === undefined ? { destination } : { destination, gateway }
}

function linkSettings({ endpoint, hasOwnMac }: Join, host: NetworkHost): PlannedLink['settings'] {
  const { interfaceName, ipv6Address } = endpoint
  const hasIpv6 = host.hasIpv6()
  const setting = (family: string, name: string) => {
    return { path: `/proc/sys/net/${family}/conf/${interfaceName}/${name}`, value: '1' }
  }
  return [
    // It is to have no IPv6 address of the kernel's making either, as in Docker.
    ...(hasIpv6 && ipv6Address === undefined ? [setting('ipv6', 'disable_ipv6')] : []),
    // Whoever had the address before had another hardware address: the others are told.
    ...(hasOwnMac ? [setting('ipv4', 'arp_notify')] : []),
    ...(hasOwnMac && ipv6Address !== undefined ? [setting('ipv6', 'ndisc_notify')] : []),
  ]
}

/** The file by which DNS servers know the container. */
export function nameFiles({ network, endpoint, named }: Join, store: NetworkStore): PlannedPlace['names'] {
  if (!hasNames(network)) return []
  const { containerId } = endpoint
  const { hosts } = store.nameServer(network.id)
  const text = dnsRecord(named, network.name, bareAddressesOf(endpoint))
  return [{ path: `${hosts}/${containerId}`, aside: `${hosts}/.${containerId}`, text }]
}
