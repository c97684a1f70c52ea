// Deciding how a container joins one more network, or leaves one. Nothing is done.

import type { Family } from '../networks/address.ts'
import type { Network } from '../networks/network.ts'
import { bareAddressesOf } from '../networks/new-endpoint.ts'
import { byWayOut } from '../networks/way-out.ts'
import { type ConnectContext, connectPlan, disconnectPlan } from '../runtime/connect-plan.ts'
import type { DefaultRoute } from '../runtime/planned-networks.ts'
import type { Plan } from '../runtime/step.ts'
import type { ResolverChange } from '../runtime/steps/resolver.ts'
import type { Joined } from './firewall-advice.ts'
import { thisHost } from './host-files.ts'
import { linkContainers } from './linked.ts'
import { linkedHosts } from './linking.ts'
import { checkMayJoin, checkMayLeave } from './membership.ts'
import { missingNetworks } from './missing-networks.ts'
import { portsByJoined, portsByOther } from './moved-ports.ts'
import { networkFiles } from './network-files.ts'
import { defaultRoute, type Join, nameFiles, plannedPlace } from './network-places.ts'
import type { NetworkSurroundings } from './networks.ts'
import type { LinkWish, NetworkWish } from './options.ts'
import { findNetworks, join, networkNames, wayOutOf } from './plan-networks.ts'
import { isNamed, joiningOf, presentJoins } from './present-networks.ts'
import type { ContainerRecord } from './record.ts'
import { plannedResolver } from './resolver.ts'
import { type Container, containerPaths, type Roots } from './state.ts'

/** The network, and the plan by which a container joins it or leaves it. */
export type PlannedChange = {
  plan: Plan
  network: Network
  /** What it is about to have of it, where it runs. */
  joined?: Joined
}

/**
 * Decides how the container joins the network. Throws MinictrError, in Docker's words, where it is in it, or cannot be. Source: moby,
 * daemon/container_operations.go (ConnectToNetwork).
 */
export function planConnect(
  container: Container,
  wish: NetworkWish,
  links: LinkWish[],
  roots: Roots,
  around: NetworkSurroundings,
): PlannedChange {
  const { networks, newRecord } = findNetworks([wish], around)
  const network = networks[0]!
  checkMayJoin(container, network, around)
  const record = {
    ...container.record,
    ...joinedNetworks(container, network, wish),
    links: [...container.record.links, ...links],
  }
  const change = recordChange(container, record, roots)
  if (container.status !== 'running' || network.driver === 'null') {
    return { network, plan: connectPlan({ ...change, files: [], formerRoutes: [] }) }
  }
  const before = presentJoins(container, around)
  const joined = join(joiningOf(container), network, wish, freeName(container, before, around), around)
  const after = [...before, joined].toSorted(byWayOut)
  const wayOut = wayOutOf(joined, after)
  const { store, host } = around
  // Before the place is written down, which has them.
  const ports = portsByJoined(container, { before, after, joined }, roots, around)
  const resolver = resolverChange(container, before, after, around)
  const planned = {
    ...(newRecord && { newRecord }),
    ...missingNetworks(networks, newRecord !== undefined, around),
    places: [plannedPlace(joined, { store, host, wayOutOf: wayOut })],
    links: linkedIds(links, record.name, around).map(id => store.linkFile(id, container.id)),
    linkedHosts: linkedHosts({ id: container.id, name: record.name, joins: after }, around),
    files: [],
  }
  const plan = connectPlan({
    ...change,
    process: container.run!,
    networks: planned,
    files: filesOf(container, record, after, roots, around),
    resolver,
    ...(ports && { ports }),
    formerRoutes: routesOf(before, wayOut),
  })
  return { network, plan, joined: { ...planned, ...(ports && { ports }) } }
}

/** Decides how the container leaves the network. Throws MinictrError, in Docker's words, where it is not in it. */
export function planDisconnect(
  container: Container,
  network: Network,
  roots: Roots,
  around: NetworkSurroundings,
): PlannedChange {
  const { store } = around
  checkMayLeave(container, network)
  const remaining =
    network.driver === 'null'
      ? { isInNone: false }
      : { networks: container.record.networks.filter(({ name }) => !isNamed(network, name)) }
  const change = recordChange(container, { ...container.record, ...remaining }, roots)
  if (container.status !== 'running' || network.driver === 'null') {
    return { network, plan: disconnectPlan({ ...change, files: [], routes: [] }) }
  }
  const before = presentJoins(container, around)
  const left = before.find(each => each.network.id === network.id)
  const after = before.filter(each => each !== left).toSorted(byWayOut)
  const files = filesOf(container, container.record, after, roots, around)
  const running = { ...change, process: container.run!, files }
  // Somebody who was killed has come as far as this.
  if (!left) return { network, plan: disconnectPlan({ ...running, routes: [] }) }
  const { endpoint } = left
  const plan = disconnectPlan({
    ...running,
    place: {
      link: endpoint.interfaceName,
      claims: bareAddressesOf(endpoint).map(address => store.addressFile(network.id, address)),
      endpointFile: store.endpointFile(network.id, container.id),
      nameFiles: nameFiles(left, store).flatMap(({ path, aside }) => [path, aside]),
    },
    resolver: resolverChange(container, before, after, around),
    ...(endpoint.ports.length > 0 && { ports: portsByOther(container, { left, after }, roots, around) }),
    routes: routesOf(after, wayOutOf(left, before.toSorted(byWayOut))),
  })
  return { network, plan }
}

function joinedNetworks(
  { record: { networks } }: Container,
  { name, driver }: Network,
  wish: NetworkWish,
): Pick<ContainerRecord, 'networks' | 'isInNone'> {
  if (driver === 'null') return { networks, isInNone: true }
  return { networks: [...networks, { ...wish, name }] }
}

type Change = Pick<ConnectContext, 'containerId' | 'lockFile' | 'record'>

function recordChange({ id }: Container, record: ContainerRecord, roots: Roots): Change {
  const { record: path, lock } = containerPaths(roots, id)
  return {
    containerId: id,
    lockFile: lock,
    record: { path, aside: `${path}.new`, text: `${JSON.stringify(record, null, 2)}\n` },
  }
}

/** A name that no link of the container has, nor one that it has made itself. */
function freeName({ run }: Container, joins: readonly Join[], { host }: NetworkSurroundings): string {
  const own = host.readText(`/proc/${run!.pid}/net/dev`).matchAll(/^ *([^\s:]+):/gm)
  const taken = [...joins.map(({ endpoint }) => endpoint.interfaceName), ...[...own].map(([, name]) => name)]
  for (let number = 0; ; number++) if (!taken.includes(`eth${number}`)) return `eth${number}`
}

/** The ways out that these families have by the networks, the first of which is the best. */
function routesOf(joins: readonly Join[], families: readonly Family[]): (DefaultRoute & { link: string })[] {
  const ordered = joins.toSorted(byWayOut)
  return families.flatMap(family => {
    const way = ordered.find(each => wayOutOf(each, ordered).includes(family))
    return way ? [{ ...defaultRoute(way.network, family), link: way.endpoint.interfaceName }] : []
  })
}

function filesOf(
  container: Container,
  record: ContainerRecord,
  ordered: readonly Join[],
  roots: Roots,
  around: NetworkSurroundings,
): ConnectContext['files'] {
  const joining = joiningOf(container)
  const { hostsLines } = linkContainers(record.links, record.name, ordered, around, 'running')
  const hasResolver = plannedResolver(container.id, ordered, record.naming.dnsServers, around) !== undefined
  const { directory } = containerPaths(roots, container.id)
  const all = networkFiles(
    record,
    joining.hostname,
    directory,
    thisHost,
    networkNames(ordered, joining, { linkLines: hostsLines, hasResolver }),
  )
  return all
    .filter(({ path }) => !path.endsWith('/hostname'))
    .map(({ path, content }) => ({ path, before: around.host.readText(path), after: content }))
    .filter(({ before, after }) => before !== after)
}

function resolverChange(
  { id, record: { naming } }: Container,
  before: readonly Join[],
  after: readonly Join[],
  around: NetworkSurroundings,
): ResolverChange {
  const of = (joins: readonly Join[]) =>
    plannedResolver(id, joins.toSorted(byWayOut), naming.dnsServers, around)
  const [former, next] = [of(before), of(after)]
  return { ...(former && { before: former }), ...(next && { after: next }) }
}

function linkedIds(links: LinkWish[], name: string, around: NetworkSurroundings): string[] {
  return linkContainers(links, name, [], around, 'running').ids
}
