// Firewalls of others on this host that drop containers' packets: found out, and told with what helps.

import { readFileSync } from 'node:fs'
import {
  type Chain,
  describeDrops,
  type ForeignDrop,
  familyNumber,
  foreignDrops,
  legacyDrops,
  parseChains,
} from '../networks/foreign-firewall.ts'
import type { PlannedNetworks } from '../runtime/planned-networks.ts'
import type { AskedFilter } from './packet-filter.ts'

/** What a container is about to have of networks. */
export type Joined = Pick<PlannedNetworks, 'bridges' | 'nameServers' | 'places'> & { ports?: object }

/** The chains of the packet filter; undefined where the kernel does not tell. */
export async function chainsOf(filter: AskedFilter): Promise<Chain[] | undefined> {
  const { answers } = await filter.chains()
  const [answer] = answers
  return answer?.errno === undefined ? parseChains(answer?.data?.toString('utf8') ?? '') : undefined
}

/** The advice that is worth a word when a container joins networks: a bridge is made now, or ports are published by one. */
export async function adviceFor(
  { bridges, nameServers, places, ports }: Joined,
  chains: readonly Chain[],
  filter: AskedFilter,
): Promise<string[]> {
  const isPublished = ports !== undefined && places.some(({ link }) => link.kind.driver === 'bridge')
  if (bridges.length === 0 && !isPublished) return []
  return await firewallAdvice(chains, nameServers.length > 0, filter)
}

/**
 * What Docker would print as WARNING, a text for each firewall that drops packets of minictr's bridges. A table whose rules speak
 * of these links already is taken to let them pass. `hasServer`: containers ask a DNS server of this host.
 */
export async function firewallAdvice(
  chains: readonly Chain[],
  hasServer: boolean,
  { executor }: AskedFilter,
): Promise<string[]> {
  const drops = foreignDrops(chains, hasServer)
  const questions = drops.map(({ family, table }) => ({
    name: 'search_rules',
    args: [familyNumber(family), table, 'minictr'],
  }))
  const { answers } = questions.length > 0 ? await executor.perform(questions) : { answers: [] }
  const closed = drops.filter((_, index) => answers[index]?.result === 0)
  return [...describeDrops(closed, chains), ...legacy(hasServer)].map(textOf)
}

function textOf({ chains, owner, remedy }: ForeignDrop): string {
  const whose = owner === undefined ? '' : ` (of ${owner}'s)`
  const [are, drop, they] =
    chains.length === 1 ? ['chain', 'drops', 'it does'] : ['chains', 'drop', 'they do']
  return [
    `the firewall ${are} ${chains.join(', ')}${whose} ${drop} what ${they} not know, packets of containers too. They pass with:`,
    ...remedy.map(command => `  ${command}`),
  ].join('\n')
}

/** The older iptables are asked only where they have rules at all: each is a program to be started. */
function legacy(hasServer: boolean): ForeignDrop[] {
  return (
    [
      ['/proc/net/ip_tables_names', 'iptables-legacy'],
      ['/proc/net/ip6_tables_names', 'ip6tables-legacy'],
    ] as const
  ).flatMap(([tables, program]) => {
    if (!read(tables).split('\n').includes('filter')) return []
    const rules = rulesOf(program)
    return rules.includes('minictr') ? [] : legacyDrops(rules, program, hasServer)
  })
}

function rulesOf(program: string): string {
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
  return spawnSync(program, ['-S'], { encoding: 'utf8', env: environment }).stdout ?? ''
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // this kernel has none of them
  }
}
