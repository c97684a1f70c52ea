// The subnets of a network as a person asks for them: which gateway, range and address belongs to which, and whether that
// can be.

import { MinictrError } from '../system/error.ts'
import { contains, type Family, formatSubnet, overlaps, parseAddress, parseCidr } from './address.ts'

/** One subnet of a network; as texts, the way network.json has them. */
export type SubnetConfig = {
  subnet: string
  gateway?: string
  /** A part of the subnet: what containers get that ask for no address. */
  ipRange?: string
  /** Addresses of other things in the subnet, by a name each; no container gets them. */
  auxiliaryAddresses: Record<string, string>
}

/** Flags of `network create`, which may be in any order. */
export type SubnetFlags = {
  subnets: string[]
  ipRanges: string[]
  gateways: string[]
  auxiliaryAddresses: Record<string, string>
}

/**
 * Gives each gateway, range and address to the subnet it lies in. Throws MinictrError, in Docker's words, where there is
 * none. Source: github.com/docker/cli, command/network/create.go (createIPAMConfig).
 */
export function combineSubnets(flags: SubnetFlags): SubnetConfig[] {
  const { subnets, ipRanges, gateways, auxiliaryAddresses } = flags
  if (subnets.length < ipRanges.length || subnets.length < gateways.length) {
    throw new MinictrError('every ip-range or gateway must have a corresponding subnet')
  }
  const configs: SubnetConfig[] = []
  for (const subnet of subnets) {
    if (configs.some(other => matches(other.subnet, subnet) || matches(subnet, other.subnet))) {
      throw new MinictrError('multiple overlapping subnet configuration is not supported')
    }
    configs.push({ subnet, auxiliaryAddresses: {} })
  }
  const matching = (text: string, kind: string): SubnetConfig[] => {
    const found = configs.filter(({ subnet }) => matches(subnet, text))
    if (found.length === 0) throw new MinictrError(`no matching subnet for ${kind} ${text}`)
    return found
  }
  for (const range of ipRanges) {
    if (!parseCidr(range)) throw new MinictrError(`invalid CIDR address: ${range}`)
    for (const config of matching(range, 'range')) {
      if (config.ipRange !== undefined) {
        const both = `${range}, ${config.ipRange}`
        throw new MinictrError(
          `cannot configure multiple ranges (${both}) on the same subnet (${config.subnet})`,
        )
      }
      config.ipRange = range
    }
  }
  for (const gateway of gateways) {
    for (const config of matching(gateway, 'gateway')) {
      if (config.gateway !== undefined) {
        const both = `${gateway}, ${config.gateway}`
        throw new MinictrError(
          `cannot configure multiple gateways (${both}) for the same subnet (${config.subnet})`,
        )
      }
      config.gateway = gateway
    }
  }
  for (const [name, address] of Object.entries(auxiliaryAddresses)) {
    for (const config of matching(address, 'aux-address')) config.auxiliaryAddresses[name] = address
  }
  return configs
}

/** Whether the address, or that before a slash, lies in the subnet; a text without a slash is checked later. */
function matches(subnet: string, text: string): boolean {
  const outer = parseCidr(subnet)
  if (!outer) throw new MinictrError(`invalid CIDR address: ${subnet}`)
  const inner = text.includes('/') ? parseCidr(text)?.address : parseAddress(text)
  if (text.includes('/') && !inner) throw new MinictrError(`invalid CIDR address: ${text}`)
  return inner !== undefined && contains(outer.subnet, inner)
}

/**
 * Throws MinictrError, in Docker's words and with all reasons at once, for subnets that are none and for what does not lie
 * in them. Source: moby, api/types/network/ipam.go (ValidateIPAM).
 */
export function checkSubnets(configs: readonly SubnetConfig[]): void {
  const reasons = configs.flatMap(reasonsAgainst)
  if (reasons.length === 0) return
  const list = reasons.length === 1 ? reasons[0] : reasons.map(reason => `* ${reason}`).join('\n')
  throw new MinictrError(`invalid network config:\n${list}`)
}

function reasonsAgainst({ subnet: text, ipRange, gateway, auxiliaryAddresses }: SubnetConfig): string[] {
  const subnet = parseCidr(text)?.subnet
  if (!subnet) return [`invalid subnet ${text}: invalid CIDR block notation`]
  const canonical = formatSubnet(subnet)
  const reasons: string[] = []
  if (!isSame(text, canonical)) reasons.push(`invalid subnet ${text}: it should be ${canonical}`)
  if (ipRange !== undefined) {
    reasons.push(
      ...reasonsAgainstRange(ipRange, text).map(reason => `invalid ip-range ${ipRange}: ${reason}`),
    )
  }
  const addresses = Object.entries(auxiliaryAddresses).map(([name, address]) => [
    `auxiliary address ${name}`,
    address,
  ])
  if (gateway !== undefined) addresses.unshift([`gateway ${gateway}`, gateway])
  for (const [what, address] of addresses) {
    const reason = reasonAgainstAddress(address!, text)
    if (reason !== undefined) reasons.push(`invalid ${what}: ${reason}`)
  }
  return reasons
}

function reasonsAgainstRange(text: string, subnetText: string): string[] {
  const { subnet } = parseCidr(subnetText)!
  const range = parseCidr(text)?.subnet
  if (!range) return ['invalid CIDR block notation']
  if (range.family !== subnet.family) return [`parent subnet is an ${familyName(subnet.family)} block`]
  return [
    ...(range.prefixLength < subnet.prefixLength
      ? [`CIDR block is bigger than its parent subnet ${subnetText}`]
      : []),
    ...(isSame(text, formatSubnet(range)) ? [] : [`it should be ${formatSubnet(range)}`]),
    ...(overlaps(subnet, range) ? [] : [`parent subnet ${subnetText} doesn't contain ip-range`]),
  ]
}

function reasonAgainstAddress(text: string, subnetText: string): string | undefined {
  const { subnet } = parseCidr(subnetText)!
  const address = parseAddress(text)
  if (!address) return 'invalid address'
  if (address.family !== subnet.family) return `parent subnet is an ${familyName(subnet.family)} block`
  return contains(subnet, address) ? undefined : `parent subnet ${subnetText} doesn't contain this address`
}

/** However the address is written: FD00::/64 is fd00::/64. */
function isSame(text: string, canonical: string): boolean {
  const { address, subnet } = parseCidr(text)!
  return address.value === subnet.first && formatSubnet(subnet) === canonical
}

function familyName(family: Family): string {
  return `IPv${family}`
}
