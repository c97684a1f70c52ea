// Which ports of the host lead to a container, and by which of its networks.

import { forwardedPorts, publishAddresses, relayedPorts } from '../networks/forwarding.ts'
import { bareAddressesOf } from '../networks/new-endpoint.ts'
import { choosePorts, type PortBinding, type PortRequest, type TakenPort } from '../networks/port-bindings.ts'
import { addPortRules, removePortRules } from '../networks/ruleset.ts'
import type { NetworkStore } from '../networks/store.ts'
import type { PlannedPorts } from '../runtime/planned-networks.ts'
import { MinictrError } from '../system/error.ts'
import type { NetworkHost } from './network-host.ts'
import type { Join } from './network-places.ts'
import type { NetworkSurroundings } from './networks.ts'
import type { PortWishes } from './record.ts'

export type ChosenPorts = {
  bindings: PortBinding[]
  /** The network by which they lead to it; undefined where it publishes none. */
  join?: Join
  ports?: PlannedPorts
  warnings: string[]
}

/**
 * Chooses the ports of a container; `joins` are its networks, the best way out first, `present` what it has by now. Throws
 * MinictrError, in Docker's words, for a port that somebody has.
 */
export function choosePublished(
  { published, exposed, publishesAll }: PortWishes,
  joins: readonly Join[],
  present: readonly PortBinding[],
  { store, host }: Pick<NetworkSurroundings, 'store' | 'host'>,
): ChosenPorts {
  if (published.length === 0 && !(publishesAll && exposed.length > 0)) return { bindings: [], warnings: [] }
  const join = wayIn(joins)
  if (!join) {
    return {
      bindings: [],
      warnings: ['Published ports are discarded: none of the networks has a way in from this host'],
    }
  }
  const hostAddresses = publishAddresses(join.network, host.hasIpv6())
  const request = { published, exposed, publishesAll, hostAddresses, ephemeral: host.ephemeral() }
  const bindings = chooseUntaken(request, present, store, host)
  const addresses = bareAddressesOf(join.endpoint)
  const forwarded = forwardedPorts(bindings, addresses)
  return {
    bindings,
    join,
    ports: {
      held: relayedPorts(bindings, addresses),
      addRules: addPortRules(forwarded),
      removeRules: removePortRules(forwarded),
    },
    warnings: [],
  }
}

/** The network by which ports lead to a container; `joins` are its networks, the best way out first. */
export function wayIn(joins: readonly Join[]): Join | undefined {
  return joins.find(({ network }) => network.driver === 'bridge' && !network.isInternal)
}

/**
 * The processes that hold containers' ports are programs of this host like others, and so are found without a look at every
 * container: that takes place only to say whose a port is, or for SCTP, which a kernel may not have.
 */
function chooseUntaken(
  request: Omit<PortRequest, 'taken'>,
  present: readonly PortBinding[],
  store: NetworkStore,
  host: NetworkHost,
): PortBinding[] {
  const hasSctp = [...request.published, ...request.exposed].some(({ protocol }) => protocol === 'sctp')
  const isForeign = ({ protocol, port }: TakenPort) =>
    !present.some(own => own.protocol === protocol && own.hostPort === port)
  const ofHost = host.ports().filter(isForeign)
  const ofAll = () => [...store.publishedPorts().filter(isForeign), ...ofHost]
  try {
    return choosePorts({ ...request, taken: hasSctp ? ofAll() : ofHost })
  } catch (error) {
    if (!(error instanceof MinictrError)) throw error
    return choosePorts({ ...request, taken: ofAll() })
  }
}
