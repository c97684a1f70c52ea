// network connect and disconnect: a container joins one more network, or leaves one, whether it runs or not.

import type { Chain } from '../networks/foreign-firewall.ts'
import { findNetwork, type Network } from '../networks/network.ts'
import { bareAddressesOf } from '../networks/new-endpoint.ts'
import { FurtherJournal, Journal } from '../runtime/journal.ts'
import { type Observer, perform } from '../runtime/perform.ts'
import { performOps } from '../runtime/perform-ops.ts'
import type { Plan } from '../runtime/step.ts'
import { StepError } from '../runtime/step-error.ts'
import { releasePlace } from '../runtime/steps/endpoints.ts'
import { MinictrError } from '../system/error.ts'
import { type Executor, spawnExecutor } from '../system/executor.ts'
import { hostExecutor } from '../system/monitor.ts'
import { identify } from '../system/process-identity.ts'
import { adviceFor, chainsOf } from './firewall-advice.ts'
import { withLockedPlan } from './locked-plan.ts'
import { findContainer } from './lookup.ts'
import { LostRaceError, untilNothingIsLost } from './lost-race.ts'
import { networkError } from './network-errors.ts'
import { recordNetworkEvent } from './network-events.ts'
import type { NetworkHost } from './network-host.ts'
import { listNetworks, type NetworkPlaces, type NetworkSurroundings, surroundingsOf } from './networks.ts'
import type { LinkWish, NetworkWish } from './options.ts'
import { askFilter } from './packet-filter.ts'
import { type PlannedChange, planConnect, planDisconnect } from './plan-connect.ts'
import { type Container, containerPaths } from './state.ts'
import { settleChange } from './unfinished-change.ts'
import { warnOnce } from './warnings.ts'

export type ConnectWish = { wish: NetworkWish; links: LinkWish[] }

/** The container joins the network. Throws MinictrError, in Docker's words, where it is in it, or cannot be. */
export async function connect(
  text: string,
  wish: ConnectWish,
  places: NetworkPlaces,
  observer?: Observer,
): Promise<void> {
  const warn = warnOnce()
  await changeLocked(text, 'connect', places, observer, async executor => {
    const filter = askFilter(executor)
    const chains = await chainsOf(filter)
    return {
      decide: decideConnect(wish, places, chains),
      tell: async ({ joined }) => {
        if (joined && chains) warn(await adviceFor(joined, chains, filter))
      },
    }
  })
}

/**
 * Decides it completely and performs nothing of it, each time alike while nothing has changed; nobody asks for `chains` where only
 * a plan is wanted. Throws MinictrError as `connect`.
 */
export function decideConnect(
  { wish, links }: ConnectWish,
  places: NetworkPlaces,
  chains?: Chain[],
): (container: Container) => PlannedChange {
  const around = decidedOnce(surroundingsOf(places, chains))
  return container => planConnect(container, wish, links, places, around)
}

/**
 * The container leaves the network. With `force` also one that is gone, of which something was left. Throws MinictrError, in
 * Docker's words, where it is not in it.
 */
export async function disconnect(
  text: string,
  { networkText, force }: { networkText: string; force: boolean },
  places: NetworkPlaces,
  observer?: Observer,
): Promise<void> {
  const network = findNetwork(listNetworks(places), networkText)
  if (force && (await releaseLeft(text, network, places))) return
  const decide = decideDisconnect(networkText, places)
  await changeLocked(text, 'disconnect', places, observer, async () => ({ decide }))
}

/** Decides it completely and performs nothing of it. Throws MinictrError as `disconnect`. */
export function decideDisconnect(
  networkText: string,
  places: NetworkPlaces,
): (container: Container) => PlannedChange {
  const around = surroundingsOf(places)
  const network = findNetwork(listNetworks(places), networkText)
  return container => planDisconnect(container, network, places, around)
}

/** What is chosen at random, or by the clock, is chosen once: a plan that is made again is the same then. */
function decidedOnce(around: NetworkSurroundings): NetworkSurroundings {
  const [id, now] = [around.host.newId(), around.host.now()]
  const host: NetworkHost = { ...around.host, newId: () => id, now: () => now }
  return { ...around, host }
}

type Change = {
  /** Plans with what is recorded when it is called. */
  decide: (container: Container) => PlannedChange
  /** Is called before anything is performed. */
  tell?: (planned: PlannedChange) => Promise<void>
}

/** Nobody else starts, ends or changes the container meanwhile. */
async function changeLocked(
  text: string,
  action: 'connect' | 'disconnect',
  places: NetworkPlaces,
  observer: Observer | undefined,
  prepare: (executor: Executor) => Promise<Change>,
): Promise<void> {
  const { id } = findContainer(places, text)
  const { executor, close } = hostExecutor()
  try {
    await untilNothingIsLost(async () => {
      const { decide, tell } = await prepare(executor)
      let network: Network
      const decidePlan = async () => {
        const planned = decide(findContainer(places, id))
        await tell?.(planned)
        network = planned.network
        return planned.plan
      }
      await withLockedPlan(decidePlan, executor, observer, async plan => {
        const isDone = await performChange(plan, network, places, executor, observer)
        if (isDone) recordNetworkEvent(places, network, id, action)
      })
    })
  } finally {
    await close()
  }
}

/** False where somebody who watched did not go on. */
async function performChange(
  plan: Plan,
  network: Network,
  places: NetworkPlaces,
  host: Executor,
  observer: Observer | undefined,
): Promise<boolean> {
  const { id, status } = findContainer(places, plan.containerId)
  const range = { from: 1 }
  if (status !== 'running') {
    return !('quit' in (await perform(plan, { host, container: host }, undefined, observer, range)))
  }
  const { runDirectory } = containerPaths(places, id)
  if (new Journal(runDirectory).state().unfinished) {
    const failed = await settleChange(id, places, host)
    if (failed.length === 0) throw new LostRaceError('another command was killed just now')
    throw new MinictrError(
      `what a killed command left of a network cannot be undone:\n${failed.join('\n')}`,
      {
        remedy: 'Remove the cause, or stop the container: its end undoes it.',
      },
    )
  }
  const inside = spawnExecutor()
  const journal = new FurtherJournal(runDirectory)
  const { command, onwardFrom = Number.POSITIVE_INFINITY } = plan
  const [maker, performer] = [identify(process.pid)!, identify(inside.pid)!]
  journal.begin({ command, subject: network.id, maker, inside: performer })
  try {
    const outcome = await perform(plan, { host, container: inside.executor }, journal, observer, range)
    if (!('quit' in outcome)) journal.over()
    else if (outcome.index <= onwardFrom && outcome.leftovers.length === 0) journal.over()
    return !('quit' in outcome)
  } catch (error) {
    if (!(error instanceof StepError)) throw error
    if (error.failure.index < onwardFrom && error.rollback.failed.length === 0) journal.over()
    throw networkError(error, places) ?? error
  } finally {
    await inside.close()
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
