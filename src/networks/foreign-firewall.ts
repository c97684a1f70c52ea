// Firewalls of others on this host that drop containers' packets: minictr's table cannot overrule them, since a packet has to
// pass all tables, and changes nothing of theirs. Here it is found out what to tell the user.

/** A firewall through which packets of containers do not come. */
export type ForeignDrop = {
  /** Its base chains that drop them, as nft(8) names them: `ip filter FORWARD`. */
  chains: string[]
  /** Whose it is, as far as its other chains tell. */
  owner?: Owner
  /** Commands that let packets of minictr's bridges pass. */
  remedy: string[]
}

type Owner = 'Docker' | 'ufw' | 'firewalld'

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

/**
 * The foreign base chains that drop what they do not know; iptables-nft's are among them. What comes to this host itself is of
 * interest to containers that ask a DNS server here (`hasServer`), and where the same table is to be opened anyway.
 */
export function foreignDrops(chains: readonly Chain[], hasServer: boolean): Chain[] {
  const drops = chains.filter(
    ({ policy, table }) => table !== OWN.table && (policy === 'drop' || table === 'firewalld'),
  )
  const forwarding = drops.filter(({ hook }) => hook === 'forward')
  const isBeside = (chain: Chain) => hasServer || forwarding.some(other => isOfSameTable(other, chain))
  return [...forwarding, ...drops.filter(chain => chain.hook === 'input' && isBeside(chain))]
}

/** Tells of such chains, one firewall after the other, and what lets packets of minictr's bridges pass; `chains` are all there are. */
export function describeDrops(drops: readonly Chain[], chains: readonly Chain[]): ForeignDrop[] {
  const firewalls = new Map<string, ForeignDrop>()
  for (const drop of drops) {
    const { family, table, name } = drop
    const owner = ownerOf(drop, chains)
    const key = owner === 'ufw' || owner === 'firewalld' ? owner : `${family} ${table}`
    const others = firewalls.get(key) ?? { chains: [], ...(owner && { owner }), remedy: [] }
    const { remedy } = others
    remedy.push(...remedyFor(drop, owner).filter(command => !remedy.includes(command)))
    firewalls.set(key, { ...others, chains: [...others.chains, `${family} ${table} ${name}`] })
  }
  return [...firewalls.values()]
}

/**
 * The same for the older iptables, whose rules nft(8) does not show: out of `iptables-legacy -S`. `program` is
 * iptables-legacy or ip6tables-legacy. Source: iptables(8).
 */
export function legacyDrops(rules: string, program: string, hasServer: boolean): ForeignDrop[] {
  const drops = (name: string) => new RegExp(`^-P ${name} (?:DROP|REJECT)$`, 'm').test(rules)
  const isForward = drops('FORWARD')
  const hooks = [isForward && 'forward', drops('INPUT') && (isForward || hasServer) && 'input'] as const
  const family = program.startsWith('ip6') ? 'ip6' : 'ip'
  const own = [...rules.matchAll(/^-N (\S+)$/gm)].map(([, name]) => name!)
  const chains = own.map((name): Chain => ({ family, table: 'filter', name, policy: 'accept' }))
  const dropping = hooks.flatMap((hook): Chain[] =>
    hook ? [{ family, table: 'filter', name: hook.toUpperCase(), hook, policy: 'drop' }] : [],
  )
  const [first] = dropping
  if (!first) return []
  const owner = ownerOf(first, chains)
  const remedyOf = (chain: Chain) =>
    owner === 'ufw' ? remedyFor(chain, owner) : insertions(program, chain, owner)
  return [
    {
      chains: dropping.map(({ name }) => `${program} ${name}`),
      ...(owner && { owner }),
      remedy: dropping.flatMap(remedyOf),
    },
  ]
}

function isOfSameTable(one: Chain, other: Chain): boolean {
  return one.family === other.family && one.table === other.table
}

function ownerOf(drop: Chain, chains: readonly Chain[]): Owner | undefined {
  if (drop.table === 'firewalld') return 'firewalld'
  const beside = new Set(chains.filter(chain => isOfSameTable(chain, drop)).map(({ name }) => name))
  if (beside.has('ufw-user-forward') || beside.has('ufw6-user-forward')) return 'ufw'
  return beside.has('DOCKER-USER') ? 'Docker' : undefined
}

/** All bridges of minictr begin with its name; to all but nft(8) `+` is any ending. */
function remedyFor(drop: Chain, owner: Owner | undefined): string[] {
  const isInput = drop.hook === 'input'
  if (owner === 'firewalld') {
    return ['firewall-cmd --permanent --zone=trusted --add-interface=minictr+', 'firewall-cmd --reload']
  }
  if (owner === 'ufw') {
    if (isInput) return ['ufw allow in on minictr+ to any port 53']
    return ['in', 'out'].map(direction => `ufw route allow ${direction} on minictr+`)
  }
  if (owner === 'Docker') return insertions(drop.family === 'ip6' ? 'ip6tables' : 'iptables', drop, owner)
  const rule = `nft insert rule ${drop.family} ${drop.table} ${drop.name}`
  if (isInput) return [`${rule} iifname '"minictr*"' meta l4proto '{ tcp, udp }' th dport 53 accept`]
  return ['iifname', 'oifname'].map(link => `${rule} ${link} '"minictr*"' accept`)
}

function insertions(program: string, { hook }: Chain, owner: Owner | undefined): string[] {
  if (hook === 'input') {
    return ['udp', 'tcp'].map(
      protocol => `${program} -I INPUT -i minictr+ -p ${protocol} --dport 53 -j ACCEPT`,
    )
  }
  const chain = owner === 'Docker' ? 'DOCKER-USER' : 'FORWARD'
  return ['-i', '-o'].map(link => `${program} -I ${chain} ${link} minictr+ -j ACCEPT`)
}
