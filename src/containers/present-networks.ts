// The networks a running container is in, as the files say that were written when it joined them.

import type { Network } from '../networks/network.ts'
import { thisHost } from './host-files.ts'
import type { Join } from './network-places.ts'
import type { NetworkSurroundings } from './networks.ts'
import type { Container } from './state.ts'

/** The networks the container is in now, as its files say. */
export function presentJoins(container: Container, { store }: Pick<NetworkSurroundings, 'store'>): Join[] {
  const { id, record } = container
  return store.endpointsOf(id).flatMap(endpoint => {
    const network = store.read(endpoint.networkId)
    if (!network) return []
    const wish = record.networks.find(({ name }) => isNamed(network, name))
    const { hostname, domainname } = joiningOf(container)
    const { aliases } = endpoint
    return [
      {
        network,
        ...(wish?.gatewayPriority !== undefined && { gatewayPriority: wish.gatewayPriority }),
        endpoint,
        named: {
          containerId: id,
          containerName: record.name,
          hostname,
          ...(domainname && { domainname }),
          aliases,
        },
        hasOwnMac: wish?.macAddress !== undefined,
      },
    ]
  })
}

/** The container as its networks know it. */
export function joiningOf({ id, record, spec }: Container) {
  const { hostname = thisHost.hostname(), domainname } = spec
  return { id, record, hostname, ...(domainname && { domainname }) }
}

/** Whether the text is the network's name, or the beginning of its id. */
export function isNamed({ id, name }: Network, text: string): boolean {
  return text === name || (/^[0-9a-f]+$/.test(text) && id.startsWith(text))
}
