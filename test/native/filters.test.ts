// Inquiries about the packet filter: they tell what nft(8) has made, and change nothing.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { missingTools } from '../networks/laboratory.ts'
import { call, errnoOf, succeed } from './executors.ts'
import { inNetworks, type Network } from './networks.ts'

const AF_INET = 2
const NFPROTO_INET = 1

async function chainsOf({ executor }: Network): Promise<string[]> {
  const [answer] = await succeed(executor, call('list_chains'))
  return answer!.data?.toString('utf8').split('\n').filter(Boolean) ?? []
}

async function searched({ executor }: Network, family: number, table: string, text: string) {
  const [answer] = await succeed(executor, call('search_rules', family, table, text))
  return answer!.result
}

describe('the packet filter', { skip: missingTools('nft') }, () => {
  it('has no chains at first, and then those of all tables, with hooks and policies', () =>
    inNetworks(async host => {
      assert.deepEqual(await chainsOf(host), [])
      host.run('nft', 'add table ip one; add chain ip one own')
      host.run('nft', 'add chain ip one through { type filter hook forward priority 0; policy drop; }')
      host.run('nft', 'add table inet two; add chain inet two in { type filter hook input priority 0; }')
      assert.deepEqual((await chainsOf(host)).sort(), [
        '1\ttwo\tin\t1\t1',
        '2\tone\town\t-1\t1',
        '2\tone\tthrough\t2\t0',
      ])
    }))

  it('tells more chains than one answer of the kernel holds', () =>
    inNetworks(async host => {
      const names = Array.from({ length: 2000 }, (_, index) => `chain-${index}`)
      const rules = ['add table ip many', ...names.map(name => `add chain ip many ${name}`)]
      host.run('sh', '-c', `printf '%s\\n' "$@" | nft -f -`, 'sh', ...rules)
      const told = (await chainsOf(host)).map(line => line.split('\t')[2]!)
      assert.deepEqual(told.sort(), names.sort())
    }))

  it('tells whether rules of a table speak of something', () =>
    inNetworks(async host => {
      host.run('nft', 'add table ip one; add chain ip one through { type filter hook forward priority 0; }')
      host.run('nft', 'add rule ip one through iifname "eth*" accept')
      host.run('nft', 'add rule ip one through iifname "minictr0" accept')
      host.run('nft', 'add table inet one')
      assert.equal(await searched(host, AF_INET, 'one', 'minictr'), 1)
      assert.equal(await searched(host, AF_INET, 'one', 'docker'), 0)
      assert.equal(await searched(host, NFPROTO_INET, 'one', 'minictr'), 0)
    }))

  it('has no table of a name that is none', () =>
    inNetworks(async host => {
      assert.equal(await searched(host, AF_INET, 'absent', 'minictr'), 0)
      const long = call('search_rules', AF_INET, 'x'.repeat(600), 'minictr')
      assert.equal(await errnoOf(host.executor, long), 'ENAMETOOLONG')
    }))
})
