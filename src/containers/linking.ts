// Containers that run and have a `--link` to one that starts: their hosts files, with its address of now.

import { linkHostsLine } from '../networks/links.ts'
import { bareAddressesOf } from '../networks/new-endpoint.ts'
import { MinictrError } from '../system/error.ts'
import type { Join } from './network-places.ts'
import type { NetworkSurroundings } from './networks.ts'
import type { Container } from './state.ts'

/** The container that starts, and its networks. */
export type Linked = { id: string; name: string; joins: readonly Join[] }

/**
 * The files that are to change. Lines of another making stay as they are. Source: moby, libnetwork/sandbox_dns_unix.go
 * (updateParentHosts).
 */
export function linkedHosts(
  linked: Linked,
  around: NetworkSurroundings,
): { path: string; content: string }[] {
  const { store, host, hostsFileOf } = around
  return store.linkingContainers(linked.id).flatMap(id => {
    const linking = find(id, around)
    if (linking?.status !== 'running') return []
    const path = hostsFileOf(id)
    const before = host.readText(path)
    const content = linesFor(linking, linked, around).reduce(withLine, before)
    return content === before ? [] : [{ path, content }]
  })
}

/** One for each of its links to the container, by the first of its networks that both are in. */
function linesFor(linking: Container, linked: Linked, around: NetworkSurroundings): string[] {
  const { id, name, joins } = linked
  const common = around.store
    .endpointsOf(linking.id)
    .flatMap(({ networkId }) => joins.find(({ network }) => network.id === networkId) ?? [])
  const [address] = common[0] ? bareAddressesOf(common[0].endpoint) : []
  if (address === undefined) return []
  return linking.record.links
    .filter(({ container }) => find(container, around)?.id === id)
    .map(({ alias }) => linkHostsLine({ alias, id, name, address, environment: [], ports: [] }))
}

/** The line in place of the one with its first names, which tell the link; behind all others where there is none. */
function withLine(text: string, line: string): string {
  const namesOf = (each: string) =>
    each
      .slice(each.indexOf('\t') + 1)
      .split(' ', 2)
      .join(' ')
  const lines = text.split('\n')
  const at = lines.findIndex(each => each.includes('\t') && namesOf(each) === namesOf(line))
  if (at < 0) return `${text.replace(/([^\n])$/, '$1\n')}${line}\n`
  return lines.with(at, line).join('\n')
}

function find(text: string, { findContainer }: NetworkSurroundings): Container | undefined {
  try {
    return findContainer(text)
  } catch (error) {
    if (error instanceof MinictrError) return undefined
    throw error
  }
}
