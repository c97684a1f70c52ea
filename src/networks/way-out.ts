// Which of a container's networks is its way out: where packets go that are for nobody in its networks.

import type { Family } from './address.ts'
import { type Network, subnetConfigOf } from './network.ts'

/** A network a container joins, and the priority it has there (`gw-priority`). */
export type Joined = { network: Network; gatewayPriority?: number }

/**
 * The order in which a container's networks are its way out, the best one first: that of the highest priority; any before an
 * internal one; one of both families before one of a single family; else the first by its name. Source: moby,
 * libnetwork/sandbox.go (Endpoint.Less).
 */
export function byWayOut(a: Joined, b: Joined): number {
  return (
    (b.gatewayPriority ?? 0) - (a.gatewayPriority ?? 0) ||
    Number(a.network.isInternal) - Number(b.network.isInternal) ||
    familyCount(b.network) - familyCount(a.network) ||
    (a.network.name < b.network.name ? -1 : 1)
  )
}

/** IPv6 counts for more. */
function familyCount(network: Network): number {
  return (hasWayOut(network, 4) ? 1 : 0) + (hasWayOut(network, 6) ? 2 : 0)
}

/** Whether packets of the family can leave by this network. */
export function hasWayOut(network: Network, family: Family): boolean {
  return !network.isInternal && subnetConfigOf(network, family) !== undefined
}
