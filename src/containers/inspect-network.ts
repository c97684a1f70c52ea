// NetworkSettings of `inspect`: the networks a container is in, its addresses there, and its ports.

import { NilList, NilMap } from '../images/nil.ts'
import type { Endpoint } from '../networks/endpoint.ts'
import { DEFAULT_NETWORK, fixedNetworks, isPredefined } from '../networks/network.ts'
import { type PortRange, type PortWish, portName } from '../networks/ports.ts'
import { mapOf, orNil } from './inspect-config.ts'
import { networkNames, type OpenPorts, openPorts } from './networking.ts'
import type { NetworkWish } from './options.ts'
import type { Container } from './state.ts'

/** Describes it; `endpoints` are its places in networks while it runs. Source: moby, api/types/types.go (NetworkSettings). */
export function describeNetwork(container: Container, endpoints: Endpoint[]): Record<string, unknown> {
  const { status, run, record } = container
  const inDefault = addressesOf(endpoints.find(({ networkId }) => networkId === DEFAULT_NETWORK.id))
  return {
    Bridge: '',
    SandboxID: '',
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    Ports: portMap(openPorts(container, endpoints)),
    SandboxKey: status === 'running' && run ? `/proc/${run.pid}/ns/net` : '',
    SecondaryIPAddresses: new NilList(),
    SecondaryIPv6Addresses: new NilList(),
    EndpointID: inDefault.EndpointID,
    Gateway: inDefault.Gateway,
    GlobalIPv6Address: inDefault.GlobalIPv6Address,
    GlobalIPv6PrefixLen: inDefault.GlobalIPv6PrefixLen,
    IPAddress: inDefault.IPAddress,
    IPPrefixLen: inDefault.IPPrefixLen,
    IPv6Gateway: inDefault.IPv6Gateway,
    MacAddress: inDefault.MacAddress,
    Networks: mapOf(
      Object.fromEntries(networkNames(record).map(name => [name, placeIn(name, container, endpoints)])),
    ),
  }
}

/** The container's place in one of its networks; without addresses while it does not run, or where the network gives none. */
function placeIn(name: string, { record }: Container, endpoints: Endpoint[]): Record<string, unknown> {
  const endpoint = endpoints.find(({ networkName }) => networkName === name)
  const wish = record.networks.find(network => network.name === name)
  const links = isPredefined(name) ? [] : record.links
  return {
    IPAMConfig: addressWish(wish),
    Links: orNil(links.map(({ container, alias }) => `${container}:${alias}`)),
    Aliases: orNil(wish?.aliases),
    NetworkID: endpoint?.networkId ?? fixedNetworks.find(network => network.name === name)?.id ?? '',
    ...addressesOf(endpoint),
    DriverOpts: new NilMap(),
  }
}

/** The addresses a person asked for. */
function addressWish(wish: NetworkWish | undefined): Record<string, string> | null {
  if (wish?.ipv4Address === undefined && wish?.ipv6Address === undefined) return null
  return {
    ...(wish.ipv4Address !== undefined && { IPv4Address: wish.ipv4Address }),
    ...(wish.ipv6Address !== undefined && { IPv6Address: wish.ipv6Address }),
  }
}

function addressesOf(endpoint: Endpoint | undefined) {
  const [ipv4 = '', ipv4Length = '0'] = endpoint?.ipv4Address?.split('/') ?? []
  const [ipv6 = '', ipv6Length = '0'] = endpoint?.ipv6Address?.split('/') ?? []
  return {
    EndpointID: endpoint?.id ?? '',
    Gateway: endpoint?.ipv4Gateway ?? '',
    IPAddress: ipv4,
    IPPrefixLen: Number(ipv4Length),
    IPv6Gateway: endpoint?.ipv6Gateway ?? '',
    GlobalIPv6Address: ipv6,
    GlobalIPv6PrefixLen: Number(ipv6Length),
    MacAddress: endpoint?.macAddress ?? '',
  }
}

type HostPort = { HostIp: string; HostPort: string }

/** Go's nat.PortMap: where each port of the container is published; nil where it is only named. */
function portMap({ bindings, exposed }: OpenPorts): Map<string, HostPort[]> {
  const map = new Map<string, HostPort[]>(exposed.map(port => [portName(port), new NilList()]))
  for (const binding of bindings) {
    const { hostAddress, hostPort } = binding
    add(map, portName(binding), { HostIp: hostAddress, HostPort: String(hostPort) })
  }
  return mapOf(Object.fromEntries(map))
}

/** PortBindings of HostConfig: the ports of this host that were asked for. */
export function wishedPorts(wishes: PortWish[]): Map<string, HostPort[]> {
  const map = new Map<string, HostPort[]>()
  for (const wish of wishes) {
    add(map, portName(wish), { HostIp: wish.hostAddress ?? '', HostPort: rangeText(wish.hostPorts) })
  }
  return mapOf(Object.fromEntries(map))
}

function add(map: Map<string, HostPort[]>, name: string, port: HostPort): void {
  map.set(name, [...(map.get(name) ?? []), port])
}

function rangeText(range: PortRange | undefined): string {
  if (range === undefined) return ''
  return range.first === range.last ? String(range.first) : `${range.first}-${range.last}`
}
