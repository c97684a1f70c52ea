// The addresses of a container in a network: one of each family the network has.

import { MinictrError } from '../system/error.ts'
import { type Address, contains, parseAddress, parseCidr } from './address.ts'
import { type Leases, leaseAddress } from './lease.ts'
import { isPredefined, type Network, subnetConfigOf } from './network.ts'
import type { SubnetConfig } from './subnets.ts'

/** The subnet of a network, and what of it is taken before any container has come. */
export function leasesOf({ subnet, ipRange, gateway, auxiliaryAddresses }: SubnetConfig): Leases {
  const own = [...(gateway === undefined ? [] : [gateway]), ...Object.values(auxiliaryAddresses)]
  return {
    subnet: parseCidr(subnet)!.subnet,
    ...(ipRange !== undefined && { range: parseCidr(ipRange)!.subnet }),
    taken: new Set(own.map(address => parseAddress(address)!.value)),
  }
}

export type AddressWish = { ipv4Address?: string; ipv6Address?: string }

/**
 * The addresses of a container in the network, one of each family it has; `claimed` are those of other containers. Throws
 * MinictrError, in Docker's words. Source: moby, daemon/container_operations.go (validateEndpointSettings).
 */
export function leaseAddresses(network: Network, claimed: readonly Address[], wish: AddressWish): Address[] {
  const wishes = [
    [4, wish.ipv4Address],
    [6, wish.ipv6Address],
  ] as const
  const isUserDefined = !isPredefined(network.name)
  return wishes.flatMap(([family, wanted]) => {
    const config = subnetConfigOf(network, family)
    if (wanted !== undefined) {
      if (!isUserDefined) {
        throw new MinictrError('user specified IP address is supported on user defined networks only')
      }
      if (!config || !network.chosenFamilies.includes(family)) {
        throw new MinictrError(
          'user specified IP address is supported only when connecting to networks with user configured subnets',
        )
      }
    }
    if (!config) return []
    const leases = leasesOf(config)
    const others = claimed.filter(address => contains(leases.subnet, address)).map(({ value }) => value)
    return [leaseIn(network, { ...leases, taken: new Set([...leases.taken, ...others]) }, wanted)]
  })
}

function leaseIn(network: Network, leases: Leases, wanted: string | undefined): Address {
  try {
    return leaseAddress(leases, wanted)
  } catch (error) {
    if (!(error instanceof MinictrError) || wanted !== undefined) throw error
    throw new MinictrError(`${error.message}: ${network.name} (${network.id})`, { remedy: error.remedy })
  }
}
