// Which address a container gets in a subnet: the one it asks for, or the lowest that nobody has.

import { MinictrError } from '../system/error.ts'
import {
  type Address,
  contains,
  formatAddress,
  lastOf,
  parseAddress,
  type Subnet,
  sizeOf,
} from './address.ts'

/** A network's subnet and what is given out of it. */
export type Leases = {
  subnet: Subnet
  /** Addresses that nobody asks for by name come from here, where it is given (`--ip-range`). */
  range?: Subnet
  /** The gateway, the auxiliary addresses and those of containers. */
  taken: ReadonlySet<bigint>
}

/**
 * The address a container gets; `wanted` is the one it asks for. Throws MinictrError, in Docker's words, for one that is
 * taken, that lies elsewhere, and where none is left. Source: moby, libnetwork/ipams/defaultipam.
 */
export function leaseAddress(leases: Leases, wanted?: string): Address {
  return wanted === undefined ? lowestFree(leases) : leaseWanted(leases, wanted)
}

function leaseWanted({ subnet, taken }: Leases, wanted: string): Address {
  const address = parseAddress(wanted)
  if (!address || !contains(subnet, address)) {
    throw new MinictrError(`Invalid address ${wanted}: It does not belong to any of this network's subnets`)
  }
  if (taken.has(address.value) || isReserved(subnet, address.value)) {
    throw new MinictrError('Address already in use', {
      remedy: `${formatAddress(address)} is another container's, the gateway's, or means all of the subnet.`,
    })
  }
  return address
}

function lowestFree({ subnet, range = subnet, taken }: Leases): Address {
  for (let value = range.first; value <= lastOf(range); value++) {
    if (!taken.has(value) && !isReserved(subnet, value)) return { family: subnet.family, value }
  }
  throw new MinictrError(`no available IPv${subnet.family} addresses on this network's address pools`, {
    remedy: 'Remove containers of this network, or make one with a larger --subnet.',
  })
}

/**
 * The first address of a subnet names the subnet itself (in IPv6 any of its routers: RFC 4291, 2.6.1), the last one of
 * IPv4 all hosts in it. Links between two hosts have neither (RFC 3021).
 */
function isReserved(subnet: Subnet, value: bigint): boolean {
  if (sizeOf(subnet) <= 2n) return false
  return value === subnet.first || (subnet.family === 4 && value === lastOf(subnet))
}
