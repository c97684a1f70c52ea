// Firewalls of others on this host that drop containers' packets: found out, and told with what helps.

import { readFileSync } from 'node:fs'
import {
  type Chain,
  describeDrop,
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
 * What Docker would print as WARNING, a text for each chain that drops packets of these bridges. A table whose rules speak of
 * minictr's links already is taken to let them pass.
 */
export async function firewallAdvice(
  chains: readonly Chain[],
  bridges: readonly string[],
  { executor }: AskedFilter,
): Promise<string[]> {
  const drops = foreignDrops(chains)
  const questions = drops.map(({ family, table }) => ({
    name: 'search_rules',
    args: [familyNumber(family), table, 'minictr'],
  }))
  const { answers } = questions.length > 0 ? await executor.perform(questions) : { answers: [] }
  const closed = drops.filter((_, index) => answers[index]?.result === 0)
  return [...closed.map(drop => describeDrop(drop, chains, bridges)), ...legacy()].map(textOf)
}

function textOf({ chain, owner, remedy }: ForeignDrop): string {
  const whose = owner === undefined ? '' : ` (of ${owner}'s)`
  return [
    `the firewall chain ${chain}${whose} drops what it does not know, packets of containers too. They pass with:`,
    ...remedy.map(command => `  ${command}`),
  ].join('\n')
}

/** The older iptables are asked only where they have rules at all: each is a program to be started. */
function legacy(): ForeignDrop[] {
  return (
    [
      ['/proc/net/ip_tables_names', 'iptables-legacy'],
      ['/proc/net/ip6_tables_names', 'ip6tables-legacy'],
    ] as const
  ).flatMap(([tables, program]) => {
    if (!read(tables).split('\n').includes('filter')) return []
    const rules = rulesOf(program)
    return rules.includes('minictr') ? [] : legacyDrops(rules, program)
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
