// The networks a container can be in: those that are recorded, and the default one, which the configuration file describes
// before anybody needs it.

import { readConfigurationFile } from '../images/configuration-file.ts'
import { overlaps, type Subnet } from '../networks/address.ts'
import { subnetsOf, withDefaultNetwork } from '../networks/default-network.ts'
import type { Endpoint } from '../networks/endpoint.ts'
import type { Chain } from '../networks/foreign-firewall.ts'
import { hasLink, hostRoutes, hostUniqueLocalPool } from '../networks/host-network.ts'
import { bridgeName } from '../networks/link-names.ts'
import { DEFAULT_NETWORK, type Network } from '../networks/network.ts'
import { type NewNetwork, newNetwork } from '../networks/new-network.ts'
import { type NetworkSettings, readNetworkSettings } from '../networks/settings.ts'
import { NetworkStore } from '../networks/store.ts'
import { MinictrError } from '../system/error.ts'
import { DEFAULT_ROOTS } from './default-roots.ts'
import { findContainer } from './lookup.ts'
import { type NetworkHost, thisNetworkHost } from './network-host.ts'
import { type Container, containerPaths, type Roots } from './state.ts'

export type NetworkPlaces = Roots & { configFile: string }

/** What the configuration file says of networks. Throws MinictrError, naming the key, where that makes no sense. */
function networkSettings({ configFile, runRoot }: NetworkPlaces): NetworkSettings {
  const settings = readNetworkSettings(readConfigurationFile(configFile), configFile, hostUniqueLocalPool())
  const { defaultNetwork } = settings
  const options = { ...defaultNetwork.options, ...bridgeOption(runRoot) }
  return { ...settings, defaultNetwork: { ...defaultNetwork, options } }
}

/** The bridge of minictr's usual place is minictr0; where things are kept elsewhere, it is another one of the same host. */
function bridgeOption(runRoot: string): Record<string, string> {
  if (runRoot === DEFAULT_ROOTS.runRoot) return {}
  const { createHash } = process.getBuiltinModule('node:crypto')
  const digits = createHash('sha256').update(runRoot).digest('hex').slice(0, 7)
  return { 'com.docker.network.bridge.name': `minictr-${digits}` }
}

/**
 * All networks by name, numbers in names as numbers; `bridge` as it would be where no container has needed it yet. Throws
 * MinictrError where the configuration file makes no sense.
 */
export function listNetworks(places: NetworkPlaces): Network[] {
  const recorded = new NetworkStore(places).list()
  return withDefaultNetwork(recorded, networkSettings(places), hostRoutes()).sort((a, b) =>
    a.name.localeCompare(b.name, 'en', { numeric: true }),
  )
}

/** What the networks of containers are decided in view of. */
export type NetworkSurroundings = {
  store: NetworkStore
  /** Throws MinictrError where the configuration file makes no sense. */
  settings(): NetworkSettings
  host: NetworkHost
  /** The chains of the packet filter; undefined where nobody has asked for them. */
  chains?: Chain[]
  /** By name, id or beginning of an id; throws MinictrError where there is none. */
  findContainer(text: string): Container
  /** What is mounted at /etc/hosts of the container, unless it has one of its own. */
  hostsFileOf(containerId: string): string
}

/** Those of this host. */
export function surroundingsOf(places: NetworkPlaces, chains?: Chain[]): NetworkSurroundings {
  return {
    ...(chains && { chains }),
    store: new NetworkStore(places),
    settings: () => networkSettings(places),
    host: thisNetworkHost,
    findContainer: text => findContainer(places, text),
    hostsFileOf: id => `${containerPaths(places, id).directory}/hosts`,
  }
}

/** A container's places in its networks while it runs, in the order of its links: eth0 first. */
export function endpointsOf(roots: Roots, id: string): Endpoint[] {
  return new NetworkStore(roots).endpointsOf(id)
}

/**
 * The network `bridge` for a container that is about to join it; `isNew` where it is yet to be recorded, or what is recorded
 * of it has become impossible: nobody is in it, and this host has a route of its own there by now. Throws MinictrError where the
 * configuration file makes no sense.
 */
export function defaultNetwork({ store, settings, host }: NetworkSurroundings): {
  network: Network
  isNew: boolean
} {
  const recorded = store.read(DEFAULT_NETWORK.id)
  if (recorded && (host.hasLink(bridgeName(recorded)) || !isOverlapped(recorded, host.routes()))) {
    return { network: recorded, isNew: false }
  }
  const others = store.list().filter(({ id }) => id !== DEFAULT_NETWORK.id)
  const [network] = withDefaultNetwork(others, settings(), host.routes())
  return { network: { ...network!, createdAt: host.now() }, isNew: true }
}

function isOverlapped(network: Network, routes: readonly Subnet[]): boolean {
  return subnetsOf([network]).some(subnet => routes.some(route => overlaps(route, subnet)))
}

/**
 * Records a new network; nothing of it is in the kernel before a container needs it. Throws MinictrError, in Docker's words,
 * for what cannot be.
 */
export async function createNetwork(
  wish: NewNetwork,
  places: NetworkPlaces,
  id: string,
  createdAt: string,
): Promise<Network> {
  const settings = networkSettings(places)
  const routes = hostRoutes()
  const { parent } = wish.options
  if (parent && !hasLink(parent)) {
    throw new MinictrError(`the parent link ${parent} is not on this host`, {
      remedy: '`ip link` lists the links there are.',
    })
  }
  return await new NetworkStore(places).create(wish.name, recorded => {
    // The default network keeps the subnet it would get: nobody is surprised by its address later.
    const networks = subnetsOf(withDefaultNetwork(recorded, settings, routes))
    return newNetwork(wish, { networks, routes, pools: settings.pools }, id, createdAt)
  })
}
