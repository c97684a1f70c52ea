// A router: what this host must be told once, so that it passes on what is for its containers.

import { parseCidr } from '../networks/address.ts'
import type { Network } from '../networks/network.ts'
import type { KernelSetting } from '../runtime/planned-networks.ts'
import type { NetworkHost } from './network-host.ts'

const IPV4 = '/proc/sys/net/ipv4/ip_forward'
const IPV6 = '/proc/sys/net/ipv6/conf'

/** The settings of this host that the networks need and that are not so, in the order in which they are to be written. */
export function missingHostSettings(networks: readonly Network[], host: NetworkHost): KernelSetting[] {
  const routed = networks.filter(({ driver, isInternal }) => driver === 'bridge' && !isInternal)
  const families = routed.flatMap(({ subnets }) =>
    subnets.map(({ subnet }) => parseCidr(subnet)!.subnet.family),
  )
  const isOff = (path: string) => host.readText(path).trim() === '0'
  return [
    ...(families.includes(4) && isOff(IPV4) ? [{ path: IPV4, value: '1' }] : []),
    ...(families.includes(6) && isOff(`${IPV6}/all/forwarding`) ? forwardIpv6(host) : []),
  ]
}

/**
 * A router takes no routes from others: links that have theirs from router advertisements are told to go on taking them.
 * Source: the kernel's ip-sysctl, accept_ra.
 */
function forwardIpv6(host: NetworkHost): KernelSetting[] {
  const advertised = advertisedLinks(host.readText('/proc/net/ipv6_route'))
  const taking = host
    .namesIn(IPV6)
    .filter(link => advertised.has(link) && host.readText(`${IPV6}/${link}/accept_ra`).trim() === '1')
  return [
    ...taking.map(link => ({ path: `${IPV6}/${link}/accept_ra`, value: '2' })),
    { path: `${IPV6}/all/forwarding`, value: '1' },
  ]
}

/** <linux/ipv6_route.h>, RTF_ADDRCONF: a route out of an advertisement. */
const ADVERTISED = 0x40000

/** The links with such routes, in the text of /proc/net/ipv6_route: the flags and the link stand last. */
function advertisedLinks(text: string): Set<string> {
  const fields = text.split('\n').map(line => line.trim().split(/\s+/))
  const advertised = fields.filter(each => (Number.parseInt(each.at(-2) ?? '0', 16) & ADVERTISED) !== 0)
  return new Set(advertised.map(each => each.at(-1)!))
}
