// A place for a container in a network: its addresses, and how its link is called on both sides.

import { type Address, type Family, formatAddress, parseCidr } from './address.ts'
import { type AddressWish, leaseAddresses } from './container-addresses.ts'
import type { Endpoint } from './endpoint.ts'
import { vethName } from './link-names.ts'
import { macAddressOf } from './mac.ts'
import { type Named, namesOf } from './names.ts'
import { DEFAULT_NETWORK, type Network, subnetConfigOf } from './network.ts'

export type EndpointRequest = {
  /** 64 hexadecimal digits that no other endpoint has. */
  id: string
  network: Network
  wish: AddressWish & { macAddress?: string }
  /** With the aliases it has in this network. */
  named: Named
  interfaceName: string
  /** The addresses of other containers in the network. */
  claimed: readonly Address[]
}

/**
 * The endpoint, as it will be written down, without ports. Throws MinictrError, in Docker's words, for an address that
 * somebody has or that lies elsewhere, and where none is left.
 */
export function newEndpoint({ id, network, wish, named, interfaceName, claimed }: EndpointRequest): Endpoint {
  const addresses = leaseAddresses(network, claimed, wish)
  const { containerId, containerName, aliases } = named
  const macAddress = wish.macAddress ?? (addresses[0] && macAddressOf(addresses[0]))
  return {
    id,
    containerId,
    containerName,
    networkId: network.id,
    networkName: network.name,
    interfaceName,
    ...(network.driver === 'bridge' && { linkName: vethName(containerId, id) }),
    // An ipvlan link has its parent's.
    ...(network.driver !== 'ipvlan' && macAddress !== undefined && { macAddress }),
    ...familyFields(network, addresses, 4),
    ...familyFields(network, addresses, 6),
    aliases: [...aliases],
    dnsNames: dnsNamesOf(network, named),
    ports: [],
  }
}

/** Under which the others of the network find the container. */
export function dnsNamesOf(network: Network, named: Named): string[] {
  return hasNames(network) ? namesOf(named) : []
}

/** Whether containers find each other by name there: in networks that somebody made. */
export function hasNames({ id }: Network): boolean {
  return id !== DEFAULT_NETWORK.id
}

/** Whether such a network has a DNS server: where this host has an address in it. */
export function isServed(network: Network): boolean {
  return hasNames(network) && network.driver === 'bridge'
}

function familyFields(network: Network, addresses: readonly Address[], family: Family): Partial<Endpoint> {
  const address = addresses.find(each => each.family === family)
  if (!address) return {}
  const { subnet, gateway } = subnetConfigOf(network, family)!
  const whole = `${formatAddress(address)}/${parseCidr(subnet)!.subnet.prefixLength}`
  const way = network.isInternal ? undefined : gateway
  return family === 4
    ? { ipv4Address: whole, ...(way !== undefined && { ipv4Gateway: way }) }
    : { ipv6Address: whole, ...(way !== undefined && { ipv6Gateway: way }) }
}

/** Of each family it has, IPv4 first; with the lengths of their subnets. */
export function addressesOf({ ipv4Address, ipv6Address }: Endpoint): string[] {
  return [ipv4Address, ipv6Address].filter(address => address !== undefined)
}

/** The same alone. */
export function bareAddressesOf(endpoint: Endpoint): string[] {
  return addressesOf(endpoint).map(address => address.slice(0, address.indexOf('/')))
}
