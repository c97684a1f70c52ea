// From which ranges a network that names none gets its subnet.

import { bitsOf, type Family, overlaps, parseCidr, type Subnet, sizeOf } from './address.ts'

/** Subnets of `prefixLength` are cut from `base`, the lowest first. */
export type Pool = { base: Subnet; prefixLength: number }

/** Docker's own: thirty networks for programs of all sizes (moby, libnetwork/ipamutils). */
export const defaultPools: readonly Pool[] = [
  pool('172.17.0.0/16', 16),
  pool('172.18.0.0/16', 16),
  pool('172.19.0.0/16', 16),
  pool('172.20.0.0/14', 16),
  pool('172.24.0.0/14', 16),
  pool('172.28.0.0/14', 16),
  pool('192.168.0.0/16', 20),
]

function pool(base: string, prefixLength: number): Pool {
  return { base: parseCidr(base)!.subnet, prefixLength }
}

/**
 * The pool of unique local addresses that belongs to a host: fd, 40 bits that nobody else is likely to have, and 65,536
 * subnets of 64 bits. `globalId` is the 40 bits. Source: RFC 4193, 3.1.
 */
export function uniqueLocalPool(globalId: Uint8Array): Pool {
  const bits = [0xfd, ...globalId.subarray(0, 5)].reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
  return { base: { family: 6, first: bits << 80n, prefixLength: 48 }, prefixLength: 64 }
}

/** The first subnet of the pools that overlaps none of `taken`; undefined where there is none left. */
export function chooseSubnet(
  pools: readonly Pool[],
  family: Family,
  taken: readonly Subnet[],
): Subnet | undefined {
  for (const { base, prefixLength } of pools.filter(each => each.base.family === family)) {
    const step = 1n << BigInt(bitsOf(family) - prefixLength)
    const end = base.first + sizeOf(base)
    for (let first = base.first; first < end; ) {
      const subnet = { family, first, prefixLength }
      const other = taken.find(each => overlaps(each, subnet))
      if (other === undefined) return subnet
      // Behind what is in the way: a route of 2^16 subnets is passed in one step.
      const behind = other.first + sizeOf(other)
      first += ((behind - first + step - 1n) / step) * step
    }
  }
  return undefined
}
