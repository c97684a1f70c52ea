// What the administrator's configuration file says of networks, under the keys of Docker's daemon.json.

import { MinictrError } from '../system/error.ts'
import { bitsOf, formatAddress, formatSubnet, parseCidr } from './address.ts'
import type { NewNetwork } from './new-network.ts'
import { defaultPools, type Pool } from './pool.ts'
import type { SubnetConfig } from './subnets.ts'

export type NetworkSettings = {
  /** Where networks that name no subnet get theirs. */
  pools: readonly Pool[]
  /** The network `bridge`. */
  defaultNetwork: Pick<NewNetwork, 'hasIpv6' | 'subnets' | 'options'>
}

/**
 * Reads `default-address-pools`, and for the default network `bip`, `fixed-cidr`, `ipv6`, `fixed-cidr-v6`, `mtu`,
 * `ip-masq` and `ip`. `uniqueLocal` is where IPv6 subnets come from unless a pool of the file has some. Throws
 * MinictrError, naming the file and the key, for values that make no sense. Source: dockerd(8).
 */
export function readNetworkSettings(
  configuration: Record<string, unknown>,
  file: string,
  uniqueLocal: Pool,
): NetworkSettings {
  const wrong = (key: string, reason: string) => new MinictrError(`${file}: ${key}: ${reason}`)
  const text = (key: string): string | undefined => {
    const value = configuration[key]
    if (value === undefined || typeof value === 'string') return value
    throw wrong(key, `${JSON.stringify(value)} is not a text`)
  }
  const toggle = (key: string): boolean | undefined => {
    const value = configuration[key]
    if (value === undefined || typeof value === 'boolean') return value
    throw wrong(key, `${JSON.stringify(value)} is neither true nor false`)
  }
  const options: Record<string, string> = {}
  const { mtu } = configuration
  if (mtu !== undefined) options['com.docker.network.driver.mtu'] = String(mtu)
  const isMasqueraded = toggle('ip-masq')
  if (isMasqueraded === false) options['com.docker.network.bridge.enable_ip_masquerade'] = 'false'
  const hostAddress = text('ip')
  if (hostAddress !== undefined) options['com.docker.network.bridge.host_binding_ipv4'] = hostAddress
  const ipv4 = bridgeSubnet(text('bip'), text('fixed-cidr'), wrong)
  const ipv6 = bridgeSubnet(undefined, text('fixed-cidr-v6'), wrong)
  const pools = readPools(configuration['default-address-pools'], wrong) ?? defaultPools
  return {
    pools: pools.some(({ base }) => base.family === 6) ? pools : [...pools, uniqueLocal],
    defaultNetwork: {
      hasIpv6: toggle('ipv6') ?? false,
      subnets: [ipv4, ipv6].filter(each => each !== undefined),
      options,
    },
  }
}

type Wrong = (key: string, reason: string) => MinictrError

function readPools(value: unknown, wrong: Wrong): Pool[] | undefined {
  const key = 'default-address-pools'
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw wrong(key, 'it is not a list')
  return value.map(each => {
    const { base, size } = Object(each)
    const subnet = parseCidr(String(base))?.subnet
    if (!subnet) throw wrong(key, `invalid base pool ${JSON.stringify(base)}: it is not such as 10.0.0.0/8`)
    if (!Number.isInteger(size) || size < subnet.prefixLength || size > bitsOf(subnet.family)) {
      throw wrong(
        key,
        `invalid pool size ${JSON.stringify(size)}: it is between ${subnet.prefixLength} and ${bitsOf(subnet.family)}`,
      )
    }
    return { base: subnet, prefixLength: size }
  })
}

/** `bip` is the bridge's own address with the subnet's length, a fixed CIDR the part of it that containers get. */
function bridgeSubnet(
  bip: string | undefined,
  fixed: string | undefined,
  wrong: Wrong,
): SubnetConfig | undefined {
  const range = fixed === undefined ? undefined : parseCidr(fixed)?.subnet
  if (fixed !== undefined && !range) throw wrong('fixed-cidr', `invalid CIDR address: ${fixed}`)
  if (bip === undefined) return range && { subnet: formatSubnet(range), auxiliaryAddresses: {} }
  const bridge = parseCidr(bip)
  if (!bridge) throw wrong('bip', `invalid CIDR address: ${bip}`)
  return {
    subnet: formatSubnet(bridge.subnet),
    gateway: formatAddress(bridge.address),
    ...(range && { ipRange: formatSubnet(range) }),
    auxiliaryAddresses: {},
  }
}
