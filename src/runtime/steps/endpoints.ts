// A container's place in its networks: addresses that nobody else has, a link that leads out of its network namespace, and
// the names by which others find it.

import type { Late, Op, Slot } from '../op.ts'
import { inverses } from '../ops.ts'
import type { PlannedLink, PlannedNetworks } from '../planned-networks.ts'
import type { Step } from '../step.ts'
import { containerStep, endsWith, hostStep } from './container-step.ts'
import { makeParent } from './parent.ts'

/** Takes the addresses: first of all, so that a lost race costs nothing. */
export function claimAddressesStep(networks: PlannedNetworks | undefined, containerId: string): Step[] {
  if (!networks) return []
  const { places } = networks
  return [
    hostStep(
      'claim-addresses',
      'An address belongs to one container of a network. Creating a file exclusively is atomic, so of two commands that choose the same one the second gets EEXIST, and chooses again. Before anything is made, so that a lost race costs nothing.',
      places.flatMap(place => [
        ...[place.claims[0], place.endpoint.path].flatMap(path =>
          path === undefined ? [] : [makeParent(path)],
        ),
        ...place.claims.map(path => claim(path, containerId)),
        { op: 'access', paths: [place.networkFile] },
        { op: 'write_file', ...place.endpoint, how: 'create', mode: 0o600 },
      ]),
      'run',
      places.toReversed().flatMap(({ claims, endpoint }) => releasePlace(claims, endpoint.path, containerId)),
    ),
  ]
}

/** Gives a place back, and nothing that is another container's by now. */
export function releasePlace(claims: string[], endpointFile: string, containerId: string): Op[] {
  return [
    { op: 'unlink', path: endpointFile, tolerate: ['ENOENT'] },
    ...inverses(claims.map(path => claim(path, containerId))),
  ]
}

function claim(path: string, containerId: string): Op {
  return { op: 'write_file', path, content: containerId, how: 'exclusive', mode: 0o600 }
}

const netns: Slot = 'network-namespace'

/**
 * The links, made from outside: one end is on the host, or all of it is a part of a link of the host's. Of a container that runs
 * (its PID is a number then) nothing takes them away but whoever takes them back.
 */
export function linkSteps(
  networks: PlannedNetworks | undefined,
  pid: Late | number = { late: 'pid' },
): Step[] {
  const links = networks?.places.map(({ link }) => link) ?? []
  const [bridged, others] = [true, false].map(isBridged =>
    links.filter(({ kind }) => (kind.driver === 'bridge') === isBridged),
  )
  const isRunning = typeof pid === 'number'
  const hostLinks = bridged!.flatMap(({ kind }) => (kind.driver === 'bridge' ? kind.hostLink : []))
  return [
    ...linkStep(
      'create-veth',
      'A veth pair is a cable with two ends: what goes in at one comes out at the other. One end is plugged into the bridge, the other is made in the container’s network namespace from the start. From the host, whose bridge it is; now, because the namespace is found by the PID of a process in it. Both ends go with the namespace; where another process stands in that, they are deleted, since the address is another container’s from then on.',
      bridged!,
      pid,
      hostLinks.flatMap(name => [...(isRunning ? [] : [awaitAbsence(name)]), deleteLink(name)]),
    ),
    ...linkStep(
      'create-sublink',
      'A macvlan or ipvlan link is a further address on the wire of a link of this host, without any bridge. It is made in the container’s network namespace; from the host, where its parent is.',
      others!,
      pid,
      isRunning
        ? others!.map(({ name }) => deleteLink(name))
        : { kernel: 'The kernel removes it when the network namespace has ended.' },
    ).map(step => (isRunning ? { ...step, undoneBy: 'container' as const } : step)),
  ]
}

/** The kernel takes links away some hundredths of a second after the last process of their namespace. */
const LINK_END_MS = 300

function awaitAbsence(name: string): Op {
  const path = `/proc/sys/net/ipv4/conf/${name}`
  return { op: 'await_absence', path, timeoutMs: LINK_END_MS, tolerate: ['ETIMEDOUT'] }
}

/** A link that may be gone by now. */
export function deleteLink(name: string): Op {
  return { op: 'delete_link', name, tolerate: ['ENODEV'] }
}

function linkStep(
  id: string,
  why: string,
  links: PlannedLink[],
  pid: Late | number,
  undo: Step['undo'],
): Step[] {
  if (links.length === 0) return []
  const ops: Op[] = [
    {
      op: 'open',
      path: typeof pid === 'number' ? `/proc/${pid}/ns/net` : ['/proc/', pid, '/ns/net'],
      how: 'read',
      as: netns,
    },
    ...links.map(link => createLink(link, pid)),
    { op: 'close', slot: netns },
  ]
  return [{ id, side: 'host', why, ops, undo, lasts: 'run' }]
}

function createLink({ name, kind, macAddress: mac, mtu }: PlannedLink, pid: Late | number): Op {
  const settings = { ...(mac !== undefined && { mac }), ...(mtu !== undefined && { mtu }) }
  const inside = { slot: netns, pid }
  switch (kind.driver) {
    case 'bridge':
      return {
        op: 'create_veth',
        name: kind.hostLink,
        ...(mtu !== undefined && { mtu }),
        master: kind.bridge,
        alias: kind.alias,
        up: true,
        ...(kind.isHairpin && { hairpin: true }),
        peer: { name, ...settings, netns: inside },
      }
    case 'macvlan':
      return { op: 'create_macvlan', name, parent: kind.parent, mode: kind.mode, netns: inside, ...settings }
    case 'ipvlan':
      return {
        op: 'create_ipvlan',
        name,
        parent: kind.parent,
        mode: kind.mode,
        netns: inside,
        ...(mtu !== undefined && { mtu }),
      }
  }
}

/** What only a process in the namespace sees: the links' addresses, and the way out. */
export function configureLinksStep(networks: PlannedNetworks | undefined): Step[] {
  const links = networks?.places.map(({ link }) => link) ?? []
  if (links.length === 0) return []
  return [
    containerStep(
      'configure-links',
      'Each link gets its addresses and is switched on; what is for none of its neighbours goes to the gateway. By the container’s own process, which stands in the namespace.',
      links.flatMap(linkOps),
      endsWith.namespace,
    ),
  ]
}

function linkOps({ name, addresses, defaultRoutes, settings }: PlannedLink): Op[] {
  return [
    ...settings.map(({ path, value }): Op => ({ op: 'write_file', path, content: value, how: 'existing' })),
    ...addresses.map((address): Op => {
      return { op: 'add_address', link: name, address, ...(address.includes(':') && { nodad: true }) }
    }),
    { op: 'set_link', name, up: true },
    ...defaultRoutes.map(
      ({ destination, gateway }): Op =>
        gateway === undefined
          ? { op: 'add_route', destination, link: name }
          : { op: 'add_route', destination, gateway, link: name },
    ),
  ]
}

/** Tells the networks' DNS servers of the container. */
export function announceNameStep(networks: PlannedNetworks | undefined): Step[] {
  const names = networks?.places.flatMap(place => place.names) ?? []
  if (names.length === 0) return []
  return [
    hostStep(
      'announce-name',
      'The DNS server of a network watches its directory: a new file, and the container is known by its names. Written aside and renamed, because half a file would be read as well. Only now, when the container can be reached.',
      names.flatMap(({ path, aside, text }): Op[] => [
        makeParent(path, 0o755),
        { op: 'write_file', path: aside, content: text, how: 'create', mode: 0o644 },
        { op: 'rename', path: aside, to: path },
      ]),
      'run',
      withdrawNames(names.flatMap(({ path, aside }) => [path, aside])),
    ),
  ]
}

/** The files of names that go. */
export function withdrawNames(paths: string[]): Op[] {
  return paths.map(path => ({ op: 'unlink', path, tolerate: ['ENOENT'] }))
}

/** The files that name the container's networks, where it has those of an earlier start. */
export function networkFilesStep(networks: PlannedNetworks | undefined): Step[] {
  const files = networks?.files ?? []
  if (files.length === 0) return []
  return [
    hostStep(
      'write-network-files',
      'The container’s addresses may be other ones than at its last start, and so may the host’s resolvers: hosts and resolv.conf are written anew.',
      files.map(({ path, content, mode }): Op => ({ op: 'write_file', path, content, how: 'create', mode })),
      'run',
      [],
    ),
  ]
}
