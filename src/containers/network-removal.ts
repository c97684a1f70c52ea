// Removing networks: their links, rules and DNS servers with them. Nobody is in them any more.

import { filteredNetwork } from '../networks/forwarding.ts'
import { bridgeName } from '../networks/link-names.ts'
import { DEFAULT_NETWORK, isPredefined, type Network } from '../networks/network.ts'
import { removeNetworkRules, removeRuleset } from '../networks/ruleset.ts'
import { NetworkStore } from '../networks/store.ts'
import type { Op } from '../runtime/op.ts'
import { performOps } from '../runtime/perform-ops.ts'
import { MinictrError } from '../system/error.ts'
import { identify } from '../system/process-identity.ts'
import { recordEvent } from './events.ts'
import { serverPid } from './missing-networks.ts'
import { thisNetworkHost } from './network-host.ts'
import type { NetworkPlaces } from './networks.ts'

/**
 * Removes a network that somebody made. Throws MinictrError, in Docker's words, for one that is always there or that a container is
 * in.
 */
export async function removeNetwork(network: Network, places: NetworkPlaces): Promise<void> {
  if (isPredefined(network.name)) {
    throw new MinictrError(`${network.name} is a pre-defined network and cannot be removed`)
  }
  await remove(network, new NetworkStore(places))
  tellOfRemoval(network, places)
}

function tellOfRemoval({ id, name, driver }: Network, places: NetworkPlaces): void {
  recordEvent(places, { type: 'network', action: 'destroy', id, attributes: { name, type: driver } })
}

async function remove(network: Network, store: NetworkStore): Promise<void> {
  const { id, name } = network
  await store.remove(network, inKernel(network, store), () => {
    const containers = store.endpoints(id).map(({ containerName }) => containerName)
    return new MinictrError(
      `error while removing network: network ${name} id ${id} has active endpoints (${containers.join(', ')})`,
      {
        remedy: `Remove them first, or take them out: minictr network disconnect ${name} ${containers[0] ?? 'CONTAINER'}`,
      },
    )
  })
}

/**
 * Removes the networks that no container is in and `keep` names, and with `withDefault` the default one too, which is made again
 * when a container needs it, and the packet filter's rules where no network is left. Returns the names of those that somebody had
 * made. Throws MinictrError.
 */
export async function pruneNetworks(
  places: NetworkPlaces,
  { keep, withDefault = false }: { keep(network: Network): boolean; withDefault?: boolean },
): Promise<string[]> {
  const store = new NetworkStore(places)
  await finishRemovals(places)
  const names: string[] = []
  for (const network of store.list().sort(byName)) {
    const isDefault = network.id === DEFAULT_NETWORK.id
    if (isDefault ? !withDefault : isPredefined(network.name) || !keep(network)) continue
    if (store.isUsed(network.id)) continue
    await remove(network, store)
    if (isDefault) continue
    tellOfRemoval(network, places)
    names.push(network.name)
  }
  if (withDefault) await removeUnusedRules()
  recordEvent(places, { type: 'network', action: 'prune', id: '', attributes: { reclaimed: '0' } })
  return names
}

function byName(a: Network, b: Network): number {
  return a.name.localeCompare(b.name, 'en', { numeric: true })
}

/** Goes on with the removal of networks where somebody was killed. */
export async function finishRemovals(places: NetworkPlaces): Promise<void> {
  const store = new NetworkStore(places)
  for (const network of store.halfRemoved()) await store.finishRemoval(network, inKernel(network, store))
}

const SERVER_END_MS = 5_000

/** The acts that remove what the kernel has of a network; harmless where that is gone. */
function inKernel(network: Network, store: NetworkStore): Op[] {
  if (network.driver !== 'bridge') return []
  return [
    ...endServer(network, store),
    { op: 'delete_link', name: bridgeName(network), tolerate: ['ENODEV'] },
    // Without a table there is nothing to be removed, nor without nft.
    { op: 'nft', commands: removeNetworkRules(filteredNetwork(network)), tolerate: ['ENOENT'] },
  ]
}

function endServer({ id }: Network, store: NetworkStore): Op[] {
  const pid = serverPid(id, store, thisNetworkHost)
  const server = pid === undefined ? undefined : identify(pid)
  if (!server) return []
  const slot = 'name-server'
  const gone = ['ESRCH', 'EBADF']
  return [
    { op: 'open_process', ...server, as: slot, tolerate: gone },
    { op: 'signal_process', slot, pid: server.pid, signal: 'SIGTERM', tolerate: gone },
    { op: 'await_exit', slot, pid: server.pid, timeoutMs: SERVER_END_MS, tolerate: gone },
  ]
}

/** The table is of all stores of this host: it goes with the last link. */
async function removeUnusedRules(): Promise<void> {
  const links = thisNetworkHost.readText('/proc/net/dev')
  if (/^\s*minictr/m.test(links)) return
  await performOps([{ op: 'nft', commands: removeRuleset, tolerate: ['ENOENT'] }])
}
