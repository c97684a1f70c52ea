// The network `bridge`, which is made when the first container needs it, and can be looked at before.

import type { Subnet } from './address.ts'
import { parseCidr } from './address.ts'
import { DEFAULT_NETWORK, NEVER, type Network } from './network.ts'
import { newDefaultNetwork } from './new-network.ts'
import type { NetworkSettings } from './settings.ts'

/** The subnets that networks have. */
export function subnetsOf(networks: readonly Network[]): Subnet[] {
  return networks.flatMap(({ subnets }) => subnets.map(({ subnet }) => parseCidr(subnet)!.subnet))
}

/**
 * The networks with `bridge` among them: as it is recorded, or as it would be if it were made now. Throws MinictrError for
 * a configuration file that does not allow it.
 */
export function withDefaultNetwork(
  recorded: readonly Network[],
  { pools, defaultNetwork }: NetworkSettings,
  routes: readonly Subnet[],
): Network[] {
  if (recorded.some(({ id }) => id === DEFAULT_NETWORK.id)) return [...recorded]
  const around = { networks: subnetsOf(recorded), routes, pools }
  return [newDefaultNetwork(defaultNetwork, around, NEVER), ...recorded]
}
