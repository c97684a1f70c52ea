// The packet filter's part of networks: one nft table of minictr's own, whose rules never change. A network is an element
// of its sets, a published port an element of its maps, so that adding and removing one is a single transaction, and the
// kernel finds it as fast among thousands as alone.

import { type Family, parseAddress, parseCidr } from './address.ts'

/** Its family and its name, as nft(8) wants them. */
export const TABLE = 'inet minictr'

/** What the rules have to know of a network. */
export type FilteredNetwork = {
  /** The bridge's name. */
  bridge: string
  /** One of each family it has: 172.18.0.0/16. */
  subnets: string[]
  /** Nothing comes in or goes out. */
  isInternal: boolean
  /** Packets that leave the host get its address. */
  isMasqueraded: boolean
}

/** A port of this host, and the container it leads to. */
export type ForwardedPort = {
  protocol: 'tcp' | 'udp' | 'sctp'
  /** One of this host's addresses; undefined for all that are of the container's family. */
  hostAddress?: string
  hostPort: number
  /** Its family is that of the rule. */
  containerAddress: string
  containerPort: number
}

/**
 * The table with all of its rules and no elements, as a text for `nft -f -`. Loading it again is harmless: the elements
 * that are there stay, and the rules are replaced in the same transaction. Needs Linux 5.6: since then the postrouting hook
 * knows the link a packet came in by, and ranges may be a part of an element. Source: nft(8).
 */
export const baseRuleset = `table ${TABLE} {
	# Every bridge; those without a way in or out; those whose packets leave with the host's address.
	set bridges { type ifname; }
	set internal { type ifname; }
	set masqueraded { type ifname; }
	# Each bridge with itself: what comes from it and goes back to it. And with its subnet, since packets that br_netfilter
	# turns round on the bridge have no link they came in by.
	set same { type ifname . ifname; }
	set same4 { type ifname . ipv4_addr; flags interval; }
	set same6 { type ifname . ipv6_addr; flags interval; }

	# protocol . port of the host : address . port of the container
	map ports4 { type inet_proto . inet_service : ipv4_addr . inet_service; }
	map ports6 { type inet_proto . inet_service : ipv6_addr . inet_service; }
	# The same for ports that are published at one of the host's addresses only.
	map address_ports4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
	map address_ports6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }

	chain prerouting { type nat hook prerouting priority dstnat; policy accept; }
	chain output { type nat hook output priority -100; policy accept; }
	chain published { }
	chain forward { type filter hook forward priority filter; policy accept; }
	chain postrouting { type nat hook postrouting priority srcnat; policy accept; }
}

flush chain ${TABLE} prerouting
flush chain ${TABLE} output
flush chain ${TABLE} published
flush chain ${TABLE} forward
flush chain ${TABLE} postrouting

table ${TABLE} {
	chain prerouting {
		# From outside or from a container, to an address of this host.
		fib daddr type local jump published
	}

	chain output {
		# From this host to itself.
		fib daddr type local jump published
	}

	chain published {
		# Loopback is the proxy's: the kernel routes nothing from there to a bridge unless the host lets down its guard.
		ip daddr 127.0.0.0/8 accept
		ip6 daddr ::1 accept
		ip6 daddr fe80::/10 accept
		dnat ip to ip daddr . meta l4proto . th dport map @address_ports4
		dnat ip6 to ip6 daddr . meta l4proto . th dport map @address_ports6
		meta nfproto ipv4 dnat ip to meta l4proto . th dport map @ports4
		meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @ports6
	}

	chain forward {
		# Within one network. Bridged packets come here too where br_netfilter is loaded.
		iifname . oifname @same accept
		iifname @internal drop
		oifname @internal drop
		ct state established,related accept
		# In only by a published port, also from another network; networks are kept apart otherwise.
		oifname @bridges ct status dnat accept
		oifname @bridges drop
	}

	chain postrouting {
		# From a container by the host's address to one of the same network, which would answer it directly otherwise.
		oifname . ip saddr @same4 ct status dnat masquerade
		oifname . ip6 saddr @same6 ct status dnat masquerade
		iifname @masqueraded oifname != @bridges masquerade
	}
}
`

/** Takes all of it away. The table is named first, so that this works where there is none. */
export const removeRuleset = `table ${TABLE} { }\ndelete table ${TABLE}\n`

/** Commands that make a network known to the rules; harmless where it is. */
export function addNetworkRules(network: FilteredNetwork): string {
  return networkElements(network).map(addElement).join('')
}

/** Commands that take a network out again; harmless where it is not there. The sets must be: `baseRuleset`. */
export function removeNetworkRules(network: FilteredNetwork): string {
  return networkElements(network).map(removeElement).join('')
}

/**
 * Commands that publish ports, all or none of them. nft(8) fails with "File exists" where one of them leads to another
 * container already.
 */
export function addPortRules(ports: readonly ForwardedPort[]): string {
  return ports.map(portElement).map(addElement).join('')
}

/**
 * Commands that take ports back, all or none; harmless for those that are not there. A port that leads to another container
 * by now makes nft(8) fail, and stays.
 */
export function removePortRules(ports: readonly ForwardedPort[]): string {
  return ports.map(portElement).map(removeElement).join('')
}

type Element = { set: string; value: string }

/** Removing is idempotent only behind an adding: nft(8) has no other way that old versions know. */
function addElement({ set, value }: Element): string {
  return `add element ${TABLE} ${set} { ${value} }\n`
}

function removeElement(element: Element): string {
  return `${addElement(element)}${addElement(element).replace('add', 'delete')}`
}

function networkElements({ bridge, subnets, isInternal, isMasqueraded }: FilteredNetwork): Element[] {
  const name = JSON.stringify(bridge)
  return [
    { set: 'bridges', value: name },
    { set: 'same', value: `${name} . ${name}` },
    ...subnets.map(subnet => ({
      set: `same${parseCidr(subnet)!.subnet.family}`,
      value: `${name} . ${subnet}`,
    })),
    ...(isInternal ? [{ set: 'internal', value: name }] : []),
    ...(isMasqueraded ? [{ set: 'masqueraded', value: name }] : []),
  ]
}

function portElement(port: ForwardedPort): Element {
  const { protocol, hostAddress, hostPort, containerAddress, containerPort } = port
  const family = familyOf(containerAddress)
  const target = `${containerAddress} . ${containerPort}`
  if (hostAddress === undefined) {
    return { set: `ports${family}`, value: `${protocol} . ${hostPort} : ${target}` }
  }
  return { set: `address_ports${family}`, value: `${hostAddress} . ${protocol} . ${hostPort} : ${target}` }
}

function familyOf(address: string): Family {
  return parseAddress(address)!.family
}
