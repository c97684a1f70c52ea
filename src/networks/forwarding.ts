// From a network's record and a container's ports to what the packet filter does, and what is left to a proxy.

import { contains, parseAddress, parseCidr } from './address.ts'
import { bridgeName } from './link-names.ts'
import { type Network, settingsOf } from './network.ts'
import type { PortBinding } from './port-bindings.ts'
import type { FilteredNetwork, ForwardedPort } from './ruleset.ts'

/** What the rules have to know of a network with a bridge. */
export function filteredNetwork(network: Network): FilteredNetwork {
  return {
    bridge: bridgeName(network),
    subnets: network.subnets.map(({ subnet }) => subnet),
    isInternal: network.isInternal,
    isMasqueraded: !network.isInternal && settingsOf(network).isMasqueraded !== false,
  }
}

/** The addresses at which ports of the network's containers are bound that name none. */
export function publishAddresses(network: Network, hasIpv6: boolean): string[] {
  const { hostAddress } = settingsOf(network)
  if (hostAddress !== undefined && hostAddress !== '0.0.0.0') return [hostAddress]
  return ['0.0.0.0', ...(hasIpv6 ? ['::'] : [])]
}

/**
 * The ports that the kernel translates: those where host and container speak the same family, but for loopback's. `addresses`
 * are the container's, one of each family it has.
 */
export function forwardedPorts(
  bindings: readonly PortBinding[],
  addresses: readonly string[],
): ForwardedPort[] {
  return bindings.flatMap(({ protocol, port, hostAddress, hostPort }) => {
    const containerAddress = addresses.find(address => isIpv4(address) === isIpv4(hostAddress))
    if (containerAddress === undefined || isLoopback(hostAddress)) return []
    const isAny = parseAddress(hostAddress)!.value === 0n
    return [{ protocol, ...(!isAny && { hostAddress }), hostPort, containerAddress, containerPort: port }]
  })
}

/** A port of the host, or `count` in a row, and where what comes to it is relayed. */
export type RelayedPort = {
  protocol: PortBinding['protocol']
  hostAddress: string
  hostPort: number
  containerAddress: string
  containerPort: number
  count: number
}

/**
 * All ports, for the proxy, which holds them and relays what the kernel does not translate; neighbours in one, with how many
 * there are.
 */
export function relayedPorts(bindings: readonly PortBinding[], addresses: readonly string[]): RelayedPort[] {
  const ranges = new Map<string, RelayedPort>()
  for (const { protocol, port, hostAddress, hostPort } of bindings) {
    const isSame = (address: string) => isIpv4(address) === isIpv4(hostAddress)
    const containerAddress = addresses.find(isSame) ?? addresses[0]
    if (containerAddress === undefined) continue
    const keyOf = (hostPort: number, port: number) => [protocol, hostAddress, hostPort, port].join(' ')
    const before = ranges.get(keyOf(hostPort, port))
    const range = before ?? {
      protocol,
      hostAddress,
      hostPort,
      containerAddress,
      containerPort: port,
      count: 0,
    }
    range.count++
    ranges.delete(keyOf(hostPort, port))
    ranges.set(keyOf(hostPort + 1, port + 1), range)
  }
  return [...ranges.values()]
}

const loopback = parseCidr('127.0.0.0/8')!.subnet

function isLoopback(address: string): boolean {
  return address === '::1' || contains(loopback, parseAddress(address)!)
}

function isIpv4(address: string): boolean {
  return parseAddress(address)!.family === 4
}
