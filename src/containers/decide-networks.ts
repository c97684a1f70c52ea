// The networks of a container that is about to start, in view of what this host is like now. Loaded only for a container that
// has a network of its own.

import type { Spec } from '../runtime/spec.ts'
import { adviceFor, chainsOf } from './firewall-advice.ts'
import { thisHost } from './host-files.ts'
import type { NetworkNames } from './network-files.ts'
import { defaultNetwork, type NetworkPlaces, surroundingsOf } from './networks.ts'
import type { AskedFilter } from './packet-filter.ts'
import { type DecidedNetworks, planNetworks } from './plan-networks.ts'
import { withVariables } from './program.ts'
import type { ContainerRecord } from './record.ts'

export type Starting = { id: string; record: ContainerRecord; spec: Spec }

/**
 * Decides them. Nobody asks the packet filter where only a plan is wanted. Throws MinictrError,
 * in Docker's words, for what is not there or taken.
 */
export async function decideNetworks(
  { id, record, spec }: Starting,
  places: NetworkPlaces,
  filter: AskedFilter | undefined,
): Promise<DecidedNetworks> {
  const { hostname = thisHost.hostname(), domainname } = spec
  const chains = filter && (await chainsOf(filter))
  const joining = { id, record, hostname, ...(domainname && { domainname }) }
  const decided = planNetworks(joining, surroundingsOf(places, chains))
  if (!filter || !chains) return decided
  const advice = await adviceFor(decided.planned, chains, filter)
  return { ...decided, warnings: [...decided.warnings, ...advice] }
}

/** The configuration with what the container's program is told of linked containers. */
export function withLinks(spec: Spec, { environment }: DecidedNetworks): Spec {
  if (environment.length === 0) return spec
  return { ...spec, process: { ...spec.process, env: withVariables(spec.process.env, environment) } }
}

/** What `host-gateway` stands for in a container that is in no network with a bridge. */
export function hostGatewayOnly(places: NetworkPlaces): NetworkNames {
  const { network } = defaultNetwork(surroundingsOf(places))
  return { hostsLines: [], servers: [], hostGateway: network.subnets[0]!.gateway! }
}
