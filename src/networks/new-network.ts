// Making a network out of what a person asks for: all that was left open is decided here, and what cannot be is refused.

import { MinictrError } from '../system/error.ts'
import {
  type Address,
  type Family,
  formatAddress,
  formatSubnet,
  overlaps,
  parseCidr,
  type Subnet,
} from './address.ts'
import { leasesOf } from './container-addresses.ts'
import { type Driver, type DriverSettings, readDriverOptions } from './driver-options.ts'
import { type Leases, leaseAddress } from './lease.ts'
import { DEFAULT_NETWORK, type Network } from './network.ts'
import { chooseSubnet, type Pool } from './pool.ts'
import { checkSubnets, type SubnetConfig } from './subnets.ts'

/** What a person asks of a network that is yet to be made. */
export type NewNetwork = {
  name: string
  driver: string
  hasIpv4: boolean
  hasIpv6: boolean
  subnets: SubnetConfig[]
  isInternal: boolean
  isAttachable: boolean
  options: Record<string, string>
  labels: Record<string, string>
}

/** What is there already, and where a network that names no subnet gets one. */
export type Surroundings = {
  /** The subnets of other networks: nobody may have them again. */
  networks: readonly Subnet[]
  /** Where this host's routes lead: chosen subnets keep away from them. */
  routes: readonly Subnet[]
  pools: readonly Pool[]
}

/**
 * A network as it will be recorded: every family it has gets a subnet, every subnet a gateway. Throws MinictrError, in
 * Docker's words, for what cannot be. Source: moby, daemon/network.go, libnetwork/controller.go.
 */
export function newNetwork(wish: NewNetwork, around: Surroundings, id: string, createdAt: string): Network {
  const driver = checkDriver(wish.driver)
  const { name, hasIpv4, hasIpv6, isInternal, isAttachable, options, labels } = wish
  if (!hasIpv4 && !hasIpv6) throw new MinictrError('IPv4 or IPv6 must be enabled')
  checkParent(driver, readDriverOptions(driver, options), isInternal)
  checkSubnets(wish.subnets)
  const families = ([4, 6] as const).filter(family => (family === 4 ? hasIpv4 : hasIpv6))
  const given = wish.subnets.map(config => ({ config, subnet: parseCidr(config.subnet)!.subnet }))
  for (const each of given) refuseSubnet(each, families, around)
  if (new Set(given.map(({ subnet }) => subnet.family)).size < given.length) {
    throw new MinictrError(`${driver} driver doesn't support multiple subnets`, {
      remedy: 'A network has one subnet of IPv4 and, with --ipv6, one of IPv6.',
    })
  }
  const subnets = families.map(family => {
    const config = given.find(({ subnet }) => subnet.family === family)?.config
    return withGateway(config ?? { subnet: freeSubnet(family, around), auxiliaryAddresses: {} })
  })
  const chosenFamilies = given.map(({ subnet }) => subnet.family)
  const what = { hasIpv4, hasIpv6, subnets, chosenFamilies, isInternal, isAttachable, options, labels }
  return { id, name, driver, createdAt, ...what }
}

/** The network `bridge`, as it is made on first use. `wish` is what the configuration file says of it. */
export function newDefaultNetwork(
  wish: Pick<NewNetwork, 'hasIpv6' | 'subnets' | 'options'>,
  around: Surroundings,
  createdAt: string,
): Network {
  const rest = { driver: 'bridge', hasIpv4: true, isInternal: false, isAttachable: false, labels: {} }
  return newNetwork({ ...rest, ...wish, name: DEFAULT_NETWORK.name }, around, DEFAULT_NETWORK.id, createdAt)
}

function refuseSubnet(
  { config, subnet }: { config: SubnetConfig; subnet: Subnet },
  families: readonly Family[],
  { networks }: Surroundings,
): void {
  if (!families.includes(subnet.family)) {
    const remedy = subnet.family === 6 ? 'Add --ipv6.' : 'Leave out --ipv4=false.'
    throw new MinictrError(`--subnet ${config.subnet}: the network has no IPv${subnet.family}`, { remedy })
  }
  if (networks.some(other => overlaps(other, subnet))) {
    throw new MinictrError('invalid pool request: Pool overlaps with other one on this address space', {
      remedy: '`minictr network inspect` shows the subnets of a network.',
    })
  }
}

function checkDriver(driver: string): Driver {
  switch (driver) {
    case 'bridge':
    case 'macvlan':
    case 'ipvlan':
      return driver
    case 'host':
    case 'null':
      throw new MinictrError(`only one instance of "${driver}" network is allowed`)
    case 'overlay':
      throw new MinictrError('This node is not a swarm manager: minictr has no networks over several hosts', {
        remedy: 'Use --driver bridge, macvlan or ipvlan.',
      })
    default:
      throw new MinictrError(`plugin ${JSON.stringify(driver)} not found`, {
        remedy: 'There are no plugins here: --driver is bridge, macvlan or ipvlan.',
      })
  }
}

function checkParent(driver: Driver, { parentLink }: DriverSettings, isInternal: boolean): void {
  if (driver === 'bridge' || parentLink) return
  throw new MinictrError(`a ${driver} network needs -o parent=LINK, the link of this host that it shares`, {
    ...(isInternal && { remedy: 'For a network without a way out use --driver bridge --internal.' }),
  })
}

function freeSubnet(family: Family, { networks, routes, pools }: Surroundings): string {
  const subnet = chooseSubnet(pools, family, [...networks, ...routes])
  if (subnet) return formatSubnet(subnet)
  throw new MinictrError('all predefined address pools have been fully subnetted', {
    remedy:
      'Remove networks (minictr network prune), choose a --subnet, or name other ranges in the configuration file: "default-address-pools".',
  })
}

/** The gateway is the first address that containers could have, unless one is named. */
function withGateway(config: SubnetConfig): SubnetConfig {
  const { gateway, auxiliaryAddresses } = config
  const leases = { ...leasesOf(config), taken: new Set<bigint>() }
  const chosen = reserve(`failed to allocate gateway (${gateway ?? ''})`, leases, gateway)
  leases.taken.add(chosen.value)
  for (const [name, address] of Object.entries(auxiliaryAddresses)) {
    const what = `failed to allocate secondary ip address (${name}:${address})`
    leases.taken.add(reserve(what, leases, address).value)
  }
  return { ...config, gateway: formatAddress(chosen) }
}

function reserve(what: string, leases: Leases, wanted: string | undefined): Address {
  try {
    return leaseAddress(leases, wanted)
  } catch (error) {
    if (!(error instanceof MinictrError)) throw error
    throw new MinictrError(`${what}: ${error.message}`, { cause: error })
  }
}
