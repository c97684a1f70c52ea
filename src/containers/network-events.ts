// The events of a container that joins or leaves networks, as Docker tells them: they are the networks' own.

import { NetworkStore } from '../networks/store.ts'
import { recordEvent } from './events.ts'
import type { Roots } from './state.ts'

/** Tells that a container joined a network, or left it. */
export function recordNetworkEvent(
  roots: Roots,
  { id, name, driver }: { id: string; name: string; driver: string },
  container: string,
  action: 'connect' | 'disconnect',
): void {
  recordEvent(roots, { type: 'network', action, id, attributes: { container, name, type: driver } })
}

/** The same for all of the networks it is in, when it starts and when it ends. */
export function recordNetworkEvents(roots: Roots, container: string, action: 'connect' | 'disconnect'): void {
  const store = new NetworkStore(roots)
  for (const { networkId } of store.endpointsOf(container)) {
    const network = store.read(networkId)
    if (network) recordNetworkEvent(roots, network, container, action)
  }
}
