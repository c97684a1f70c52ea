// Deciding the networks of one start: which addresses a container gets, what of its networks is yet to be made, and what its
// files are to say. Nothing is done.

import { ownHostsLines } from '../networks/names.ts'
import { DEFAULT_NETWORK, findNetwork, type Network, networkText } from '../networks/network.ts'
import { bareAddressesOf, isServed, newEndpoint } from '../networks/new-endpoint.ts'
import type { PortBinding } from '../networks/port-bindings.ts'
import { RESOLVER_ADDRESS } from '../networks/resolver.ts'
import type { NetworkStore } from '../networks/store.ts'
import { byWayOut, hasWayOut } from '../networks/way-out.ts'
import type { PlannedNetworks } from '../runtime/planned-networks.ts'
import { MinictrError } from '../system/error.ts'
import { linkContainers } from './linked.ts'
import { linkedHosts } from './linking.ts'
import { missingNetworks } from './missing-networks.ts'
import type { NetworkNames } from './network-files.ts'
import { type Join, plannedPlace } from './network-places.ts'
import { defaultNetwork, type NetworkSurroundings } from './networks.ts'
import type { NetworkWish } from './options.ts'
import { choosePublished } from './published-ports.ts'
import type { ContainerRecord } from './record.ts'
import { plannedResolver } from './resolver.ts'

/** A container that is about to start. */
export type Joining = {
  id: string
  record: Pick<ContainerRecord, 'name' | 'networks' | 'ports' | 'links' | 'naming'>
  hostname: string
  domainname?: string
}

export type DecidedNetworks = {
  planned: PlannedNetworks
  names: NetworkNames
  /** Variables of its program, `NAME=value` each. */
  environment: string[]
  /** What Docker would print as WARNING. */
  warnings: string[]
}

/**
 * Decides the networks of a container that has one of its own. Throws MinictrError, in Docker's words, for a network that is
 * not there, for an address or a port that somebody has, and where none is left.
 */
export function planNetworks(container: Joining, around: NetworkSurroundings): DecidedNetworks {
  const { networks: wishes, ports, links, name, naming } = container.record
  const { store, host } = around
  const { networks, newRecord } = findNetworks(wishes, around)
  const joins = networks.map((network, index) => {
    return join(container, network, wishes[index]!, `eth${index}`, around)
  })
  const ordered = joins.toSorted(byWayOut)
  const published = choosePublished(ports, ordered, presentPorts(container.id, networks, store), around)
  if (published.join) published.join.endpoint.ports = published.bindings
  const told = linkContainers(links, name, joins, around)
  const resolver = plannedResolver(container.id, ordered, naming.dnsServers, around)
  return {
    planned: {
      ...(newRecord && { newRecord }),
      ...missingNetworks(networks, newRecord !== undefined, around),
      places: joins.map(each => plannedPlace(each, { store, host, wayOutOf: wayOutOf(each, ordered) })),
      ...(resolver && { resolver }),
      ...(published.ports && { ports: published.ports }),
      links: told.ids.map(linked => store.linkFile(linked, container.id)),
      linkedHosts: linkedHosts({ id: container.id, name, joins }, around),
      files: [],
    },
    names: networkNames(ordered, container, {
      linkLines: told.hostsLines,
      hasResolver: resolver !== undefined,
    }),
    environment: told.environment,
    warnings: published.warnings,
  }
}

export type Found = { networks: Network[]; newRecord?: PlannedNetworks['newRecord'] }

/** The networks of these names, ids or beginnings of ids. Throws MinictrError where there is none. */
export function findNetworks(wishes: readonly NetworkWish[], around: NetworkSurroundings): Found {
  const { store, host } = around
  let newRecord: PlannedNetworks['newRecord']
  const { lockFile } = store
  const networks = wishes.map(({ name }) => {
    if (name !== DEFAULT_NETWORK.name) return store.byName(name) ?? findNetwork(store.list(), name)
    const { network, isNew } = defaultNetwork(around)
    const path = store.recordFile(network.id)
    if (isNew)
      newRecord = { path, aside: `${path}.${host.newId().slice(0, 8)}`, text: networkText(network), lockFile }
    return network
  })
  const repeated = networks.findIndex((network, index) => networks.indexOf(network) < index)
  if (repeated >= 0) {
    const message = `network "${wishes[repeated]!.name}" is specified multiple times`
    throw new MinictrError(message)
  }
  return { networks, ...(newRecord && { newRecord }) }
}

/** What it still has of this host while a restart is planned: it has let go of them when it starts. */
function presentPorts(id: string, networks: readonly Network[], store: NetworkStore): PortBinding[] {
  return networks.flatMap(network => store.endpoint(network.id, id)?.ports ?? [])
}

/** The container in one more network. Throws MinictrError, in Docker's words, where there is no address for it. */
export function join(
  { id, record, hostname, domainname }: Joining,
  network: Network,
  wish: NetworkWish,
  interfaceName: string,
  { store, host }: NetworkSurroundings,
): Join {
  const { aliases, gatewayPriority, macAddress } = wish
  const domain = domainname === undefined ? {} : { domainname }
  const named = { containerId: id, containerName: record.name, hostname, ...domain, aliases }
  const claimed = store.claimedAddresses(network.id)
  const endpoint = newEndpoint({ id: host.newId(), network, wish, named, interfaceName, claimed })
  return {
    network,
    ...(gatewayPriority !== undefined && { gatewayPriority }),
    endpoint,
    named,
    hasOwnMac: macAddress !== undefined,
  }
}

/** The families for which it is the container's way out; `ordered` are all, the best way out first. */
export function wayOutOf(each: Join, ordered: readonly Join[]): (4 | 6)[] {
  return ([4, 6] as const).filter(
    family => ordered.find(({ network }) => hasWayOut(network, family)) === each,
  )
}

/** What the networks add to the container's files. */
export function networkNames(
  ordered: readonly Join[],
  { id, record, hostname, domainname }: Joining,
  { linkLines, hasResolver }: { linkLines: readonly string[]; hasResolver: boolean },
): NetworkNames {
  const domain = domainname === undefined ? {} : { domainname }
  const named = { containerId: id, containerName: record.name, hostname, ...domain, aliases: [] }
  const served = ordered.find(({ network }) => isServed(network))
  const gateway = served?.network.subnets[0]?.gateway ?? []
  const bridged = ordered.find(({ network }) => network.driver === 'bridge')
  return {
    hostsLines: [
      ...linkLines,
      ...ownHostsLines(
        named,
        ordered.flatMap(({ endpoint }) => bareAddressesOf(endpoint)),
      ),
    ],
    servers: [hasResolver ? RESOLVER_ADDRESS : gateway].flat(),
    ...(bridged && { hostGateway: bridged.network.subnets[0]!.gateway! }),
  }
}
