// Whether a container is in a network, and whether it may join one or leave it.

import type { Network } from '../networks/network.ts'
import { MinictrError } from '../system/error.ts'
import { networkNames } from './networking.ts'
import type { NetworkSurroundings } from './networks.ts'
import { isNamed } from './present-networks.ts'
import type { Container } from './state.ts'

/** Whether container.json says that the container is in the network. */
export function isRecorded({ record }: Container, network: Network): boolean {
  return networkNames(record).some(name => isNamed(network, name))
}

/**
 * Nobody shares `host` and `none` with other networks. Throws MinictrError, in Docker's words, where the container is in the network,
 * or cannot be. Source: moby, daemon/container_operations.go (updateNetworkSettings).
 */
export function checkMayJoin(
  container: Container,
  network: Network,
  { store }: Pick<NetworkSurroundings, 'store'>,
): void {
  const { id, record } = container
  const { name, driver } = network
  const { networkMode } = record
  const joinsHost = driver === 'host'
  if (networkMode.startsWith('container:') || (networkMode === 'host' && !joinsHost)) {
    throw new MinictrError(
      'container sharing network namespace with another container or host cannot be connected to any other network',
    )
  }
  if (joinsHost && networkMode !== 'host') throw hostError()
  const others = networkNames(record).filter(each => each !== name)
  if (others.includes('none') || (driver === 'null' && others.length > 0)) {
    throw new MinictrError(
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
      { remedy: 'Let it leave the others first: minictr network disconnect.' },
    )
  }
  if (!isRecorded(container, network) && !store.endpoint(network.id, id)) return
  throw new MinictrError(`endpoint with name ${container.name} already exists in network ${name}`)
}

/** Throws MinictrError, in Docker's words, where the container is not in the network, or cannot leave it. */
export function checkMayLeave(container: Container, network: Network): void {
  if (container.record.networkMode === 'host' && network.driver === 'host') throw hostError()
  if (isRecorded(container, network)) return
  throw new MinictrError(`container ${container.id} is not connected to network ${network.name}`)
}

function hostError(): MinictrError {
  return new MinictrError('container cannot be disconnected from host network or connected to host network')
}
