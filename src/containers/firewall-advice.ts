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
import type { AskedFilter } from './packet-filter.ts'

/** The chains of the packet filter; undefined where the kernel does not tell. */
export async function chainsOf(filter: AskedFilter): Promise<Chain[] | undefined> {
  const { answers } = await filter.chains()
  const [answer] = answers
  return answer?.errno === undefined ? parseChains(answer?.data?.toString('utf8') ?? '') : undefined
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
