// Ports of a container that runs: by which of its networks they lead to it when it has joined one more, or left one.

import type { Endpoint } from '../networks/endpoint.ts'
import { forwardedPorts, relayedPorts } from '../networks/forwarding.ts'
import { bareAddressesOf } from '../networks/new-endpoint.ts'
import { addPortRules, removePortRules } from '../networks/ruleset.ts'
import type { PlannedPorts } from '../runtime/planned-networks.ts'
import type { PortsChange } from '../runtime/steps/ports.ts'
import { MinictrError } from '../system/error.ts'
import { endpointText, isBridgeFiltered, type Join } from './network-places.ts'
import type { NetworkSurroundings } from './networks.ts'
import { portHolder } from './port-holder.ts'
import { type ChosenPorts, choosePublished, wayIn } from './published-ports.ts'
import type { Container, Roots } from './state.ts'

type Joined = { before: readonly Join[]; after: readonly Join[]; joined: Join }

/**
 * The ports of a container that joins a network, where that is the first by which it is reached from now on; the endpoint of `joined`
 * gets them. `after` are its networks then, the best way out first. Throws MinictrError, in Docker's words, for a port that
 * somebody has. Source: moby, libnetwork/endpoint.go (sbJoin): they follow the way out.
 */
export function portsByJoined(
  { id, record }: Container,
  { before, after, joined }: Joined,
  roots: Roots,
  around: NetworkSurroundings,
): PortsChange | undefined {
  if (wayIn(after) !== joined) return undefined
  const { store } = around
  const former = before.find(({ endpoint }) => endpoint.ports.length > 0)
  const { bindings, ports } = choosePublished(record.ports, after, former?.endpoint.ports ?? [], around)
  if (!ports) return undefined
  joined.endpoint.ports = bindings
  const holder = portHolder(id, roots)
  return {
    ...(former && {
      before: {
        ports: portsOf(former.endpoint),
        endpoint: place(former, former.endpoint, around),
        without: endpointText({ ...former.endpoint, ports: [] }),
        ...(holder && { holder }),
      },
    }),
    after: { ports, endpoint: place(joined, joined.endpoint, around) },
    pidFile: store.holderPidFile(id),
  }
}

/** The ports of a container that leaves the network by which they lead to it; `after` are the networks it stays in. */
export function portsByOther(
  { id, record }: Container,
  { left, after }: { left: Join; after: readonly Join[] },
  roots: Roots,
  around: NetworkSurroundings,
): PortsChange {
  const { store, host } = around
  const holder = portHolder(id, roots)
  const { join, bindings, ports } = chosenOrNone(() =>
    choosePublished(record.ports, after, left.endpoint.ports, around),
  )
  return {
    before: {
      ports: portsOf(left.endpoint),
      endpoint: place(left, left.endpoint, around),
      ...(holder && { holder }),
    },
    ...(join && {
      after: {
        ports: ports!,
        endpoint: place(join, { ...join.endpoint, ports: bindings }, around),
        ...(isBridgeFiltered(host) && { hairpinLink: join.endpoint.linkName! }),
      },
    }),
    pidFile: store.holderPidFile(id),
  }
}

/** That somebody else has a port at the other network's address is no reason not to leave this one. */
function chosenOrNone(choose: () => ChosenPorts): ChosenPorts {
  try {
    return choose()
  } catch (error) {
    if (!(error instanceof MinictrError)) throw error
    return { bindings: [], warnings: [] }
  }
}

function portsOf(endpoint: Endpoint): PlannedPorts {
  const addresses = bareAddressesOf(endpoint)
  const forwarded = forwardedPorts(endpoint.ports, addresses)
  return {
    held: relayedPorts(endpoint.ports, addresses),
    addRules: addPortRules(forwarded),
    removeRules: removePortRules(forwarded),
  }
}

function place({ network }: Join, endpoint: Endpoint, { store }: NetworkSurroundings) {
  return { path: store.endpointFile(network.id, endpoint.containerId), content: endpointText(endpoint) }
}
