// What the links that minictr makes are called on the host: `ip link` shows at once whose they are.

import { DEFAULT_NETWORK, type Network, settingsOf } from './network.ts'

/** The name of a network's bridge, in at most 15 characters (IFNAMSIZ of net/if.h). */
export function bridgeName(network: Network): string {
  const { bridgeName: given } = settingsOf(network)
  return given ?? (network.id === DEFAULT_NETWORK.id ? 'minictr0' : `minictr${network.id.slice(0, 8)}`)
}

/**
 * The name of the host's end of a container's veth pair. The endpoint's part makes it another one at each start: until the
 * kernel has taken the last one away, a moment after the container's end, its name is taken.
 */
export function vethName(containerId: string, endpointId: string): string {
  return `mctr${containerId.slice(0, 6)}${endpointId.slice(0, 5)}`
}
