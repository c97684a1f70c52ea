// What a network is: a name, its subnets, and how its containers are joined.

import { MinictrError } from '../system/error.ts'
import { type Family, parseCidr } from './address.ts'
import { type Driver, type DriverSettings, readDriverOptions } from './driver-options.ts'
import type { SubnetConfig } from './subnets.ts'

/** network.json. */
export type Network = {
  /** 64 hexadecimal digits. */
  id: string
  name: string
  /** `host` and `null` are for the networks of these names that are always there. */
  driver: Driver | 'host' | 'null'
  /** ISO 8601. */
  createdAt: string
  hasIpv4: boolean
  hasIpv6: boolean
  subnets: SubnetConfig[]
  /** The families whose subnet a person chose: only there a container may ask for an address of its own. */
  chosenFamilies: Family[]
  /** No way in or out. */
  isInternal: boolean
  isAttachable: boolean
  /** `-o`, with Docker's keys. */
  options: Record<string, string>
  labels: Record<string, string>
}

const noAddresses = { hasIpv4: false, hasIpv6: false, subnets: [], chosenFamilies: [] }
const plain = { isInternal: false, isAttachable: false, options: {}, labels: {} }
/** Go's zero time: nobody made them. */
export const NEVER = '0001-01-01T00:00:00.000Z'

/** The network of containers that name none. Its id is the same everywhere, so that it can be found without a search. */
export const DEFAULT_NETWORK = {
  id: '4f0203a75037a8dc2be305b396111fc564b949fa94dc90c4b94bcbf874165410',
  name: 'bridge',
} as const

/** Networks in name alone: a container has this host's network, or none but its loopback. */
export const fixedNetworks: readonly Network[] = [
  {
    id: '2eb476341c9985d161d7780efea53875aa046a1db10d40f30dea56af93bdbb3f',
    name: 'host',
    driver: 'host',
    createdAt: NEVER,
    ...noAddresses,
    ...plain,
  },
  {
    id: '02dc94e0ad1cbbac0e66033c7704e2cd6c93b277294391bb258783f7d4e4e513',
    name: 'none',
    driver: 'null',
    createdAt: NEVER,
    ...noAddresses,
    ...plain,
  },
]

/** Whether it is one of those that are always there; `default` is another name for one of them. */
export function isPredefined(name: string): boolean {
  return ['bridge', 'host', 'none', 'default'].includes(name)
}

/** The longest name of a file. */
const LONGEST_NAME = 255

/**
 * Throws MinictrError for what cannot be the name of a new network. Docker takes any text; here it is also the name of a
 * file and a domain, so that the rule for containers and volumes holds.
 */
export function checkNetworkName(name: string): void {
  if (isPredefined(name)) throw new MinictrError(`operation is not permitted on predefined ${name} network`)
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name) || name.length > LONGEST_NAME) {
    throw new MinictrError(
      `Invalid network name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed, and at most ${LONGEST_NAME} of them`,
    )
  }
}

/**
 * The network of this id, name, or unique beginning of an id, which wins in this order. Throws MinictrError, in Docker's
 * words, where there is none or more than one. Source: moby, daemon/network.go (FindNetwork).
 */
export function findNetwork(networks: readonly Network[], text: string): Network {
  const network = lookUpNetwork(networks, text)
  if (network) return network
  throw new MinictrError(`network ${text} not found`, {
    remedy: '`minictr network ls` lists the networks there are.',
  })
}

/** The same, or undefined where there is none. Throws MinictrError where there is more than one. */
export function lookUpNetwork(networks: readonly Network[], text: string): Network | undefined {
  const exact = networks.find(({ id }) => id === text) ?? networks.find(({ name }) => name === text)
  if (exact) return exact
  const found = /^[0-9a-f]+$/.test(text) ? networks.filter(({ id }) => id.startsWith(text)) : []
  if (found.length > 1) {
    throw new MinictrError(
      `network ${text} is ambiguous (${found.length} matches found based on ID prefix)`,
      { remedy: 'Give more characters of the id; `minictr network ls --no-trunc` shows them whole.' },
    )
  }
  return found[0]
}

/** Its subnet of a family. */
export function subnetConfigOf({ subnets }: Network, family: Family): SubnetConfig | undefined {
  return subnets.find(({ subnet }) => parseCidr(subnet)!.subnet.family === family)
}

/** The options of its driver, read. */
export function settingsOf({ driver, options }: Network): DriverSettings {
  return driver === 'host' || driver === 'null' ? {} : readDriverOptions(driver, options)
}

/** The text of network.json. */
export function networkText(network: Network): string {
  return `${JSON.stringify(network, null, 2)}\n`
}
