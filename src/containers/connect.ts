// network connect and disconnect: a container joins one more network, or leaves one, whether it runs or not.

import { findNetwork, type Network } from '../networks/network.ts'
import { bareAddressesOf } from '../networks/new-endpoint.ts'
import { FurtherJournal } from '../runtime/journal.ts'
import { perform } from '../runtime/perform.ts'
import { performOps } from '../runtime/perform-ops.ts'
import type { Plan } from '../runtime/step.ts'
import { StepError } from '../runtime/step-error.ts'
import { releasePlace } from '../runtime/steps/endpoints.ts'
import { MinictrError } from '../system/error.ts'
import { type Executor, spawnExecutor } from '../system/executor.ts'
import { hostExecutor } from '../system/monitor.ts'
import { withContainerLock } from './container-lock.ts'
import { untilNothingIsLost } from './lost-race.ts'
import { networkError } from './network-errors.ts'
import { recordNetworkEvent } from './network-events.ts'
import { listNetworks, type NetworkPlaces, surroundingsOf } from './networks.ts'
import type { LinkWish, NetworkWish } from './options.ts'
import { planConnect, planDisconnect } from './plan-connect.ts'
import { type Container, containerPaths, findContainer } from './state.ts'

/** The container joins the network. Throws MinictrError, in Docker's words, where it is in it, or cannot be. */
export async function connect(
  text: string,
  { wish, links }: { wish: NetworkWish; links: LinkWish[] },
  places: NetworkPlaces,
): Promise<void> {
  const around = surroundingsOf(places)
  await changeLocked(text, places, container => planConnect(container, wish, links, places, around))
  tell(text, wish.name, 'connect', places)
}

/**
 * The container leaves the network. With `force` also one that is gone, of which something was left. Throws MinictrError, in
 * Docker's words, where it is not in it.
 */
export async function disconnect(
  text: string,
  networkText: string,
  force: boolean,
  places: NetworkPlaces,
): Promise<void> {
  const around = surroundingsOf(places)
  const network = findNetwork(listNetworks(places), networkText)
  if (force && (await releaseLeft(text, network, places))) return
  await changeLocked(text, places, container => planDisconnect(container, network.id, places, around))
  tell(text, network.name, 'disconnect', places)
}

/** Nobody else starts, ends or changes the container meanwhile; `act` plans with what is recorded then. */
async function changeLocked(
  text: string,
  places: NetworkPlaces,
  act: (container: Container) => Plan,
): Promise<void> {
  const { id } = findContainer(places, text)
  const { executor, close } = hostExecutor()
  try {
    await withContainerLock(places, id, executor, () =>
      untilNothingIsLost(async () => {
        const container = findContainer(places, id)
        await performChange(act(container), container, places, executor)
      }),
    )
  } finally {
    await close()
  }
}

async function performChange(
  plan: Plan,
  { id, status }: Container,
  places: NetworkPlaces,
  host: Executor,
): Promise<void> {
  const isRunning = status === 'running'
  const inside = isRunning ? spawnExecutor() : undefined
  const journal = isRunning ? new FurtherJournal(containerPaths(places, id).runDirectory) : undefined
  try {
    await perform(plan, { host, container: inside?.executor ?? host }, journal)
  } catch (error) {
    throw error instanceof StepError ? (networkError(error, places) ?? error) : error
  } finally {
    await inside?.close()
  }
}

/** What is left in the network of a container that is there no more; false where there is nothing. */
async function releaseLeft(text: string, network: Network, places: NetworkPlaces): Promise<boolean> {
  const { store } = surroundingsOf(places)
  const left = store
    .endpoints(network.id)
    .find(({ containerName, containerId }) => containerName === text || containerId.startsWith(text))
  if (!left || isThere(left.containerId, places)) return false
  const claims = bareAddressesOf(left).map(address => store.addressFile(network.id, address))
  await performOps(releasePlace(claims, store.endpointFile(network.id, left.containerId), left.containerId))
  return true
}

function isThere(id: string, places: NetworkPlaces): boolean {
  try {
    return findContainer(places, id).id === id
  } catch (error) {
    if (error instanceof MinictrError) return false
    throw error
  }
}

function tell(
  text: string,
  networkName: string,
  action: 'connect' | 'disconnect',
  places: NetworkPlaces,
): void {
  const network = findNetwork(listNetworks(places), networkName)
  recordNetworkEvent(places, network, findContainer(places, text).id, action)
}
