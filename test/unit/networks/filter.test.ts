// Filters of `network ls` and `network prune`.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { networkFilter, pruneFilter } from '../../../src/networks/filter.ts'
import { fixedNetworks, type Network } from '../../../src/networks/network.ts'

const host = fixedNetworks.find(({ name }) => name === 'host')!
const web: Network = {
  ...host,
  id: 'ab12'.repeat(16),
  name: 'web-front',
  driver: 'bridge',
  createdAt: '2026-11-21T09:30:00.000Z',
  labels: { use: 'cache', empty: '' },
}

const isUsed = ({ name }: Network) => name === 'used'
const used = { ...web, id: 'cd34'.repeat(16), name: 'used', driver: 'macvlan' as const, labels: {} }
const all = [web, used, host]

const kept = (...filters: string[]) => all.filter(networkFilter(filters, isUsed)).map(({ name }) => name)

describe('a filter of network ls', () => {
  const cases: [filters: string[], names: string[]][] = [
    [[], ['web-front', 'used', 'host']],
    [['driver=macvlan'], ['used']],
    [
      ['driver=macvlan', 'driver=host'],
      ['used', 'host'],
    ],
    [['name=front'], ['web-front']],
    [['id=2ab'], ['web-front']],
    [['label=use'], ['web-front']],
    [['label=use=cache', 'label=empty='], ['web-front']],
    [['label=use=other'], []],
    [['type=builtin'], ['host']],
    [['type=custom', 'driver=bridge'], ['web-front']],
    [['scope=local'], ['web-front', 'used', 'host']],
    [['scope=swarm'], []],
    [['dangling=true'], ['web-front']],
    [['dangling=0'], ['used', 'host']],
  ]
  for (const [filters, names] of cases) {
    it(filters.join(' ') || 'none', () => assert.deepEqual(kept(...filters), names))
  }

  const refused: [filter: string, message: string][] = [
    ['zz=1', "invalid filter 'zz'"],
    ['until=1h', "invalid filter 'until'"],
    ['name', 'invalid argument "name" for "--filter" flag: bad format of filter (expected name=value)'],
    ['dangling=x', `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`],
    ['type=x', "invalid filter: 'type'='x'"],
  ]
  for (const [filter, message] of refused) {
    it(`${filter} is refused`, () => assert.throws(() => kept(filter), { message }))
  }
})

describe('a filter of network prune', () => {
  const nowNs = BigInt(Date.parse('2026-11-21T10:00:00.000Z')) * 1_000_000n
  const momentOf = (text: string) => {
    if (!/^\d+$/.test(text)) throw new Error(`no moment: ${text}`)
    return nowNs - BigInt(text) * 60_000_000_000n
  }
  const pruned = (...filters: string[]) => pruneFilter(filters, momentOf)(web)

  it('asks for labels, for their absence, and for an age in minutes', () => {
    assert.ok(pruned())
    assert.ok(pruned('label=use=cache'))
    assert.ok(!pruned('label!=use'))
    assert.ok(pruned('label!=other', 'label!=more'))
    assert.ok(pruned('until=29'))
    assert.ok(!pruned('until=31'))
  })

  it('is refused where it makes no sense', () => {
    assert.throws(() => pruned('name=web'), { message: "invalid filter 'name'" })
    assert.throws(() => pruned('until=x'), /no moment: x/)
  })
})
