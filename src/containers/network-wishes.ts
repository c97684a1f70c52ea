// From flags about networks to the networks a container gets: wishes that belong together are joined, and those that
// contradict each other are refused.

import { MinictrError } from '../system/error.ts'
import type { EndpointWish, NetworkMode, NetworkWish, RunOptions } from './options.ts'

export type ChosenNetworks = Pick<RunOptions, 'network' | 'networks' | 'warnings'>

type Options = Pick<
  RunOptions,
  'networks' | 'endpoint' | 'links' | 'publishedPorts' | 'publishesAllPorts' | 'exposedPorts'
>

const CONTAINER = 'container:'
const UNDEFINED_BEHAVIOR = 'This would result in undefined behavior'

export const HOST_AND_LINKS = `conflicting options: host type networking can't be used with links. ${UNDEFINED_BEHAVIOR}`

/**
 * The networks of a container: those named, or the default one. Throws MinictrError in Docker's words. Source: docker/cli,
 * container/opts.go (parseNetworkOpts); moby, runconfig/hostconfig_unix.go, daemon/container_operations.go.
 */
export function chooseNetworks(options: Options): ChosenNetworks {
  const [given = { name: 'bridge', aliases: [] }, ...others] = options.networks
  const networks = [withFlags(given, options.endpoint), ...others].map(withWholeName)
  const conflict = networkConflict(networks, options)
  if (conflict !== undefined) throw new MinictrError(conflict)
  const network = modeOf(networks[0]!.name)
  const isDiscarded = network === 'host' && (options.publishedPorts.length > 0 || options.publishesAllPorts)
  return {
    network,
    networks: network === 'own' ? networks : [],
    warnings: isDiscarded ? ['Published ports are discarded when using host network mode'] : [],
  }
}

/** Whether somebody made it: names that mean something else are not. Source: moby, api/types/container (IsUserDefined). */
function isUserDefined(name: string): boolean {
  return !['bridge', 'host', 'none'].includes(name) && !name.startsWith(CONTAINER)
}

function modeOf(name: string): NetworkMode {
  if (name === 'none' || name === 'host') return name
  return name.startsWith(CONTAINER) ? { container: name.slice(CONTAINER.length) } : 'own'
}

/** Flags of their own are about the first network, as they were when a container was in one only. */
function withFlags(wish: NetworkWish, flags: EndpointWish): NetworkWish {
  const both: [string, boolean][] = [
    ['--network-alias and per-network alias', wish.aliases.length > 0 && flags.aliases.length > 0],
    ['--ip and per-network IPv4 address', isBoth(wish.ipv4Address, flags.ipv4Address)],
    ['--ip6 and per-network IPv6 address', isBoth(wish.ipv6Address, flags.ipv6Address)],
    ['--mac-address and per-network MAC address', isBoth(wish.macAddress, flags.macAddress)],
  ]
  const conflict = both.find(([, isGiven]) => isGiven)
  if (conflict) {
    // Docker's command line finds this one itself, also for create.
    throw new MinictrError(`conflicting options: cannot specify both ${conflict[0]}`, { exitStatus: 125 })
  }
  return { ...wish, ...flags, aliases: [...wish.aliases, ...flags.aliases] }
}

function isBoth(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined
}

function withWholeName(wish: NetworkWish): NetworkWish {
  return wish.name === 'default' ? { ...wish, name: 'bridge' } : wish
}

function networkConflict(networks: NetworkWish[], options: Options): string | undefined {
  const names = networks.map(({ name }) => name)
  if (names.some(name => name.trim() === '')) return 'no name set for network'
  if (names.includes(CONTAINER)) return 'Invalid network mode: invalid container format container:<name|id>'
  const repeated = names.find((name, index) => names.indexOf(name) < index)
  if (repeated !== undefined) return `network "${repeated}" is specified multiple times`
  const made = names.filter(isUserDefined)
  if (made.length > 0 && made.length < names.length) {
    return 'conflicting options: cannot attach both user-defined and non-user-defined network-modes'
  }
  if (made.length === 0 && names.length > 1) {
    return `Container cannot be connected to network endpoints: ${names.join(', ')}`
  }
  return endpointConflict(networks) ?? modeConflict(modeOf(names[0]!), networks[0]!, options)
}

function endpointConflict(networks: NetworkWish[]): string | undefined {
  for (const { name, aliases, ipv4Address, ipv6Address } of networks.filter(
    each => !isUserDefined(each.name),
  )) {
    if (aliases.length > 0) return 'network-scoped aliases are only supported for user-defined networks'
    if (!name.startsWith(CONTAINER) && (ipv4Address !== undefined || ipv6Address !== undefined)) {
      return 'user specified IP address is supported on user defined networks only'
    }
  }
  return undefined
}

function modeConflict(
  mode: NetworkMode,
  { macAddress, ipv4Address, ipv6Address }: NetworkWish,
  { links, publishedPorts, publishesAllPorts, exposedPorts }: Options,
): string | undefined {
  if (mode === 'host') {
    if (links.length === 0) return undefined
    return HOST_AND_LINKS
  }
  if (typeof mode !== 'object') return undefined
  if (links.length > 0) {
    return `conflicting options: container type network can't be used with links. ${UNDEFINED_BEHAVIOR}`
  }
  if (macAddress !== undefined) return 'conflicting options: mac-address and the network mode'
  if (ipv4Address !== undefined || ipv6Address !== undefined) {
    return 'user specified IP address is supported on user defined networks only'
  }
  if (publishedPorts.length > 0 || publishesAllPorts) {
    return 'conflicting options: port publishing and the container type network mode'
  }
  if (exposedPorts.length > 0) {
    return 'conflicting options: port exposing and the container type network mode'
  }
  return undefined
}
