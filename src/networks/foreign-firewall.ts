// Firewalls of others on this host that drop what is forwarded, containers' packets too: minictr's table cannot overrule
// them, since a packet has to pass all tables, and changes nothing of theirs. Here it is found out what to tell the user.

/** A base chain through which a container's packets do not come. */
export type ForeignDrop = {
  /** `ip filter FORWARD`, as nft(8) names it. */
  chain: string
  /** Whose it is, as far as its other chains tell. */
  owner?: 'Docker' | 'ufw' | 'firewalld'
  /** Commands that let packets of minictr's bridges pass. */
  remedy: string[]
}

/** A chain of the kernel's packet filter. */
export type Chain = {
  /** As nft(8) names it: `inet`. */
  family: string
  table: string
  name: string
  /** Of a base chain: where packets come to it. */
  hook?: string
  /** What becomes of packets that no rule speaks of. */
  policy: 'accept' | 'drop'
}

/** <linux/netfilter.h>, enum nf_inet_hooks, and the families of <linux/netfilter.h>, NFPROTO_…. */
const hooks = ['prerouting', 'input', 'forward', 'output', 'postrouting']
const families: Record<string, number> = { inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 }

/** Its number, for questions about its tables. */
export function familyNumber(family: string): number {
  return families[family] ?? 0
}

/** Reads what native/ops_filters.c tells of chains: family, table, name, hook and policy, with tabs between. */
export function parseChains(text: string): Chain[] {
  const names = new Map(Object.entries(families).map(([name, number]) => [String(number), name]))
  const lines = text.split('\n').filter(line => line !== '')
  return lines.map(line => {
    const [family = '', table = '', name = '', hook = '', policy = ''] = line.split('\t')
    const where = hooks[Number(hook)]
    return {
      family: names.get(family) ?? family,
      table,
      name,
      ...(where !== undefined && { hook: where }),
      policy: policy === '0' ? 'drop' : 'accept',
    }
  })
}

const OWN = { family: 'inet', table: 'minictr' }

/** Whether minictr's own table is among them. It is not where somebody has flushed all rules. */
export function hasOwnTable(chains: readonly Chain[]): boolean {
  return chains.some(({ family, table }) => family === OWN.family && table === OWN.table)
}

/** The foreign base chains that drop what they do not know; iptables-nft's are among them. */
export function foreignDrops(chains: readonly Chain[]): Chain[] {
  return chains.filter(
    ({ hook, policy, table }) =>
      table !== OWN.table && hook === 'forward' && (policy === 'drop' || table === 'firewalld'),
  )
}

/** Tells of such a chain, with what lets packets of these bridges of minictr's pass; `chains` are all there are. */
export function describeDrop(drop: Chain, chains: readonly Chain[], bridges: readonly string[]): ForeignDrop {
  const { family, table, name } = drop
  const beside = chains.filter(other => other.family === family && other.table === table)
  return {
    chain: `${family} ${table} ${name}`,
    ...remedyFor(drop, new Set(beside.map(other => other.name)), bridges),
  }
}

/**
 * The same for the older iptables, whose rules nft(8) does not show: out of `iptables-legacy -S FORWARD`. `program` is
 * iptables-legacy or ip6tables-legacy. Source: iptables(8).
 */
export function legacyDrops(rules: string, program: string): ForeignDrop[] {
  if (!/^-P FORWARD (?:DROP|REJECT)$/m.test(rules)) return []
  const jumpsToDocker = /^-A FORWARD -j DOCKER-USER$/m.test(rules)
  return [
    {
      chain: `${program} FORWARD`,
      ...(jumpsToDocker && { owner: 'Docker' as const }),
      remedy: insertions(program, jumpsToDocker ? 'DOCKER-USER' : 'FORWARD'),
    },
  ]
}

function remedyFor(
  { family, table, name }: Chain,
  beside: Set<string>,
  bridges: readonly string[],
): Pick<ForeignDrop, 'owner' | 'remedy'> {
  const iptables = family === 'ip6' ? 'ip6tables' : 'iptables'
  if (table === 'firewalld') {
    const zone = 'firewall-cmd --permanent --zone=trusted'
    return {
      owner: 'firewalld',
      remedy: [...bridges.map(bridge => `${zone} --add-interface=${bridge}`), 'firewall-cmd --reload'],
    }
  }
  if (beside.has('ufw-user-forward') || beside.has('ufw6-user-forward')) {
    const directions = bridges.flatMap(bridge => [`in on ${bridge}`, `out on ${bridge}`])
    return { owner: 'ufw', remedy: directions.map(direction => `ufw route allow ${direction}`) }
  }
  if (beside.has('DOCKER-USER')) return { owner: 'Docker', remedy: insertions(iptables, 'DOCKER-USER') }
  const rule = `nft insert rule ${family} ${table} ${name}`
  return { remedy: ['iifname', 'oifname'].map(link => `${rule} ${link} '"minictr*"' accept`) }
}

/** All bridges of minictr begin with its name; to iptables `+` is any ending. */
function insertions(program: string, chain: string): string[] {
  return ['-i', '-o'].map(link => `${program} -I ${chain} ${link} minictr+ -j ACCEPT`)
}
