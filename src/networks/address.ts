// Addresses and subnets of IPv4 and IPv6 as numbers: read, written, compared.

export type Family = 4 | 6

/** `value` has the address's 32 or 128 bits. */
export type Address = { family: Family; value: bigint }

/** All addresses that begin with the same `prefixLength` bits; `first` has zeros behind them. */
export type Subnet = { family: Family; first: bigint; prefixLength: number }

/** How many bits an address has. */
export function bitsOf(family: Family): number {
  return family === 4 ? 32 : 128
}

/** Reads an address; undefined for a text that is none. Zones (`fe80::1%eth0`) are none. Source: RFC 4291, 2.2. */
export function parseAddress(text: string): Address | undefined {
  const value = text.includes(':') ? parseIpv6(text) : parseIpv4(text)
  return value === undefined ? undefined : { family: text.includes(':') ? 6 : 4, value }
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.')
  // Without leading zeros, which some programs read as octal.
  if (parts.length !== 4 || !parts.every(part => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined
  }
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [before, after] = halves.map((half, index) => groupsOf(half, index === halves.length - 1))
  if (before === undefined) return undefined
  if (halves.length === 1) return before.length === 8 ? fromGroups(before) : undefined
  if (after === undefined || before.length + after.length > 7) return undefined
  return fromGroups([...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after])
}

/** Numbers of 16 bits; the last two may be written as an IPv4 address where the text ends there. */
function groupsOf(half: string, isLast: boolean): number[] | undefined {
  if (half === '') return []
  const parts = half.split(':')
  const tail: number[] = []
  if (isLast && parts.at(-1)!.includes('.')) {
    const value = parseIpv4(parts.pop()!)
    if (value === undefined) return undefined
    tail.push(Number(value >> 16n), Number(value & 0xffffn))
  }
  if (!parts.every(part => /^[0-9a-f]{1,4}$/i.test(part))) return undefined
  return [...parts.map(part => Number.parseInt(part, 16)), ...tail]
}

function fromGroups(groups: number[]): bigint {
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n)
}

/** Writes an address in its canonical form. Source: RFC 5952. */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, index) =>
    Number((value >> BigInt(112 - 16 * index)) & 0xffffn),
  )
  const { start, length } = longestZeros(groups)
  const hexadecimal = (part: number[]) => part.map(group => group.toString(16)).join(':')
  if (length < 2) return hexadecimal(groups)
  return `${hexadecimal(groups.slice(0, start))}::${hexadecimal(groups.slice(start + length))}`
}

function longestZeros(groups: number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let end = start
    while (groups[end] === 0) end++
    if (end - start > longest.length) longest = { start, length: end - start }
  }
  return longest
}

/**
 * Reads `ADDRESS/LENGTH`: the address as written and the subnet it lies in; undefined for a text that is none. Source:
 * RFC 4632, 3.1.
 */
export function parseCidr(text: string): { address: Address; subnet: Subnet } | undefined {
  const slash = text.indexOf('/')
  const address = slash < 0 ? undefined : parseAddress(text.slice(0, slash))
  const length = text.slice(slash + 1)
  if (!address || !/^(?:0|[1-9]\d{0,2})$/.test(length) || Number(length) > bitsOf(address.family)) {
    return undefined
  }
  return { address, subnet: subnetOf(address, Number(length)) }
}

/** The subnet of this length that the address lies in. */
export function subnetOf({ family, value }: Address, prefixLength: number): Subnet {
  const hostBits = BigInt(bitsOf(family) - prefixLength)
  return { family, first: (value >> hostBits) << hostBits, prefixLength }
}

export function formatSubnet({ family, first, prefixLength }: Subnet): string {
  return `${formatAddress({ family, value: first })}/${prefixLength}`
}

/** How many addresses there are in it. */
export function sizeOf({ family, prefixLength }: Subnet): bigint {
  return 1n << BigInt(bitsOf(family) - prefixLength)
}

/** Its last address. */
export function lastOf(subnet: Subnet): bigint {
  return subnet.first + sizeOf(subnet) - 1n
}

export function contains(subnet: Subnet, { family, value }: Address): boolean {
  return family === subnet.family && value >= subnet.first && value <= lastOf(subnet)
}

/** Whether they have an address in common. */
export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.family === b.family && a.first <= lastOf(b) && b.first <= lastOf(a)
}
