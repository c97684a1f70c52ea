// `--link`: what a container is told of others when it starts: lines of /etc/hosts, and in the default network variables.

import { type LinkedContainer, linkEnvironment, linkHostsLine } from '../networks/links.ts'
import { DEFAULT_NETWORK, isPredefined } from '../networks/network.ts'
import { bareAddressesOf } from '../networks/new-endpoint.ts'
import { MinictrError } from '../system/error.ts'
import type { Join } from './network-places.ts'
import { HOST_AND_LINKS } from './network-wishes.ts'
import type { NetworkSurroundings } from './networks.ts'
import type { LinkWish } from './options.ts'
import type { ContainerRecord } from './record.ts'
import type { Container } from './state.ts'

/** What every program has, whoever it is: another one is not told of it. */
const OWN_VARIABLES = ['HOSTNAME', 'TERM']

export type Links = {
  hostsLines: string[]
  environment: string[]
  /** Of the containers that there are. */
  ids: string[]
}

/**
 * What a container is told; `joins` are its networks. Of one that runs already, others that have gone are forgotten. Throws
 * MinictrError, in Docker's words, for one that is not there, and in the default network for one that does not run or is
 * not in it. Source: moby, daemon/container_operations_unix.go (setupLinkedContainers), daemon/container_operations.go
 * (buildSandboxOptions).
 */
export function linkContainers(
  wishes: readonly LinkWish[],
  containerName: string,
  joins: readonly Join[],
  around: NetworkSurroundings,
  when: 'starting' | 'running' = 'starting',
): Links {
  const links: Links = { hostsLines: [], environment: [], ids: [] }
  for (const wish of wishes) {
    const container = find(wish, when, around)
    if (!container) continue
    links.ids.push(container.id)
    const isDefault = joins.some(({ network }) => network.id === DEFAULT_NETWORK.id)
    const isNeeded = isDefault && when === 'starting'
    if (isNeeded && container.status !== 'running') {
      throw new MinictrError(
        `Cannot link to a non running container: /${container.name} AS /${containerName}/${wish.alias}`,
        { remedy: `minictr start ${container.name}` },
      )
    }
    const linked = linkedIn(joins, container, wish, around)
    if (isNeeded && !linked) {
      throw new MinictrError(`container ${container.id} not attached to default bridge network`)
    }
    if (!linked) continue
    links.hostsLines.push(linkHostsLine(linked))
    if (isDefault) links.environment.push(...linkEnvironment(linked, containerName))
  }
  return links
}

/**
 * What is seen of links when a container is made: those beside `--network`s that somebody made are nobody's before it starts. Throws
 * MinictrError, in Docker's words. Source: moby, daemon/daemon_unix.go (registerLinks).
 */
export function checkLinks(
  { networkMode, links }: Pick<ContainerRecord, 'networkMode' | 'links'>,
  around: Pick<NetworkSurroundings, 'findContainer'>,
): void {
  if (!isPredefined(networkMode)) return
  for (const wish of links) {
    let linked = find(wish, 'starting', around)
    while (linked?.record.joins.network) {
      linked = find({ ...wish, container: linked.record.joins.network }, 'starting', around)
    }
    if (linked?.record.networkMode === 'host') throw new MinictrError(HOST_AND_LINKS)
  }
}

function find(
  { container }: LinkWish,
  when: 'starting' | 'running',
  { findContainer }: Pick<NetworkSurroundings, 'findContainer'>,
): Container | undefined {
  try {
    return findContainer(container)
  } catch (error) {
    if (!(error instanceof MinictrError)) throw error
    if (when === 'running') return undefined
    throw new MinictrError(`could not get container for ${container}: ${error.message}`, {
      remedy: error.remedy,
    })
  }
}

/** The other container, by its address in the first network that both are in. */
function linkedIn(
  joins: readonly Join[],
  { id, name, spec, record }: Container,
  { alias }: LinkWish,
  { store }: NetworkSurroundings,
): LinkedContainer | undefined {
  const endpoint = joins.map(({ network }) => store.endpoint(network.id, id)).find(Boolean)
  const [address] = endpoint ? bareAddressesOf(endpoint) : []
  if (address === undefined) return undefined
  const environment = spec.process.env.filter(each => !OWN_VARIABLES.includes(each.split('=', 1)[0]!))
  return { alias, id, name, address, environment, ports: record.ports.exposed }
}
