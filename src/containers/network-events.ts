// The events of a container that joins or leaves networks, as Docker tells them: they are the networks' own.

import { NetworkStore } from '../networks/store.ts'
import { type HappenedEvent, recordEvent } from './events.ts'
import type { Roots } from './state.ts'

type Told = { id: string; name: string; driver: string }

/** Tells that a container joined a network, or left it. */
export function recordNetworkEvent(
  roots: Roots,
  network: Told,
  container: string,
  action: 'connect' | 'disconnect',
): void {
  recordEvent(roots, networkEvent(network, container, action))
}

function networkEvent({ id, name, driver }: Told, container: string, action: string): HappenedEvent {
  return { type: 'network', action, id, attributes: { container, name, type: driver } }
}

/** The same for all of the networks it is in, when it starts and when it ends. */
export function recordNetworkEvents(roots: Roots, container: string, action: 'connect' | 'disconnect'): void {
  for (const event of networkEvents(roots, container, action)) recordEvent(roots, event)
}

/** The events that `recordNetworkEvents` tells. */
export function networkEvents(
  roots: Roots,
  container: string,
  action: 'connect' | 'disconnect',
): HappenedEvent[] {
  const store = new NetworkStore(roots)
  return store.endpointsOf(container).flatMap(({ networkId }) => {
    const network = store.read(networkId)
    return network ? [networkEvent(network, container, action)] : []
  })
}
