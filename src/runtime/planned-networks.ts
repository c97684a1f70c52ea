// What a container's networks need of its plan: addresses, names and the texts of rules, all decided before.

import type { ContainerFile } from './context.ts'
import type { PublishedPort } from './op.ts'

/** A file below /proc/sys, and what is written into it. */
export type KernelSetting = { path: string; value: string }

export type PlannedNetworks = {
  /**
   * network.json of the default network, where nobody has needed it before; `aside` is where it is written first. The lock is of
   * whoever makes or removes networks.
   */
  newRecord?: { path: string; aside: string; text: string; lockFile: string }
  /** What this host does not do yet and a network needs of it. */
  hostSettings: KernelSetting[]
  /** Commands of nft(8) that make the networks known to the rules; undefined where they are. */
  rules?: string
  /** The bridges that are not there yet. */
  bridges: PlannedBridge[]
  /** The DNS servers that do not run yet. */
  nameServers: PlannedNameServer[]
  /** The container's own DNS server, where it has one. */
  resolver?: PlannedResolver
  /** The container's place in each of its networks, in the order in which it joins them. */
  places: PlannedPlace[]
  ports?: PlannedPorts
  /** A file for each link that the container has to another one; written when it can be reached, and gone with it. */
  links?: string[]
  /** The hosts files of other containers that have a link to this one. */
  linkedHosts?: { path: string; content: string }[]
  /** hosts and resolv.conf, where the container has older ones. */
  files: ContainerFile[]
}

export type PlannedBridge = {
  name: string
  macAddress: string
  mtu?: number
  /** A text for people, as `ip link` shows it. */
  alias: string
  /** Of this host in the network, each with its prefix: the gateways. */
  addresses: string[]
  /** Before it is switched on. */
  settings: KernelSetting[]
  /** Written when the network is wholly there. */
  readyFile: string
}

export type PlannedNameServer = {
  /** A file for each container; the server watches them. */
  directories: string[]
  /** Of two commands that start the same server one waits for the other. */
  lockFile: string
  /** There as soon as the server is ready. */
  pidFile: string
  candidates: string[]
  argv: string[]
}

/** A DNS server in the network namespace of one container. */
export type PlannedResolver = {
  /** A file for each container of its networks; the server watches them. */
  directories: string[]
  /** There as soon as the server is ready. */
  pidFile: string
  candidates: string[]
  argv: string[]
  /** Commands of nft(8) that lead to it who asks, and that take themselves back. */
  addRules: string
  removeRules: string
}

export type PlannedPlace = {
  networkName: string
  /** Fails where the network was removed meanwhile. */
  networkFile: string
  /** A file for each address, made by whoever takes it. */
  claims: string[]
  endpoint: { path: string; content: string }
  link: PlannedLink
  /** The container's names, for DNS servers; written aside, since a half one would be read. */
  names: { path: string; aside: string; text: string }[]
}

export type PlannedLink = {
  /** What it is called in the container: eth0. */
  name: string
  kind: LinkKind
  macAddress?: string
  mtu?: number
  /** With their prefixes. */
  addresses: string[]
  /** The way out of the container, for one of its links. */
  defaultRoutes: DefaultRoute[]
  /** Of the container's own network, before the link is switched on. */
  settings: KernelSetting[]
}

/** `0.0.0.0/0` or `::/0`; without a gateway all are asked for on the wire itself. */
export type DefaultRoute = { destination: string; gateway?: string }

/** How it leads out of the container's network namespace. */
export type LinkKind =
  | { driver: 'bridge'; hostLink: string; bridge: string; alias: string; isHairpin: boolean }
  | { driver: 'macvlan'; parent: string; mode: 'bridge' | 'private' | 'vepa' | 'passthru' }
  | { driver: 'ipvlan'; parent: string; mode: 'l2' | 'l3' | 'l3s' }

export type PlannedPorts = {
  /** Held by a process beside the container. */
  held: PublishedPort[]
  /** Commands of nft(8) that lead them to the container, and that take them back. */
  addRules: string
  removeRules: string
}
