// Which containers `ps --filter` shows, and which `container prune --filter` takes.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { containerFilter, containerPruneFilter } from '../../../src/containers/filter.ts'
import type { Listed } from '../../../src/containers/listed.ts'
import type { Container } from '../../../src/containers/state.ts'
import { parseImagePorts } from '../../../src/networks/ports.ts'
import { endpoint, IMAGE_ID, listed } from './listed.ts'

const mounts = [
  { type: 'volume' as const, name: 'data', source: '/v/data/_data', destination: '/d', isReadOnly: false },
  { type: 'bind' as const, source: '/srv', destination: '/b', isReadOnly: false },
]

const web = listed(
  { state: 'running', health: { status: 'healthy', failingStreak: 0, log: [] } },
  {
    record: {
      createdAt: '2026-01-02T00:00:00.000Z',
      labels: { use: 'test', tier: 'front' },
      mounts,
      networkMode: 'bridge',
      networks: [{ name: 'bridge', aliases: [] }],
      ports: { published: [], exposed: parseImagePorts({ '80/tcp': {}, '53/udp': {} }), publishesAll: false },
    },
    endpoints: [endpoint({ ports: [{ port: 80, protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080 }] })],
  },
)
const ended = listed(
  { state: 'exited' },
  {
    id: 'cd'.repeat(32),
    name: 'old-web',
    record: { createdAt: '2026-01-01T00:00:00.000Z', labels: { use: 'test' } },
    exit: { exitStatus: 3, signal: null, finishedAtMs: 0 },
  },
)
const unseen = listed(
  { state: 'exited' },
  {
    id: 'ef'.repeat(32),
    name: 'lost',
    record: { networkMode: 'none', networks: [], createdAt: '2026-01-03T00:00:00.000Z' },
  },
)
const all = [unseen, web, ended]

const known = {
  findContainer: (name: string): Container => {
    const found = all.find(({ container }) => container.name === name)
    if (!found) throw new Error(`no ${name}`)
    return found.container
  },
  imageId: (name: string) => (name === 'debian' ? IMAGE_ID : undefined),
}

const shown = (...filters: string[]) =>
  all.filter(containerFilter(filters, known)).map(({ container }) => container.name)

describe('the filters of ps', () => {
  const cases: [filters: string[], names: string[]][] = [
    [[], ['lost', 'web', 'old-web']],
    [['id=cd'], ['old-web']],
    [['name=web'], ['web', 'old-web']],
    [['name=^web$'], ['web']],
    [['name=^/web'], ['web']],
    [['name=['], []],
    [
      ['name=lost', 'name=old'],
      ['lost', 'old-web'],
    ],
    [['label=use'], ['web', 'old-web']],
    [['label=use=test', 'label=tier'], ['web']],
    [['status=running'], ['web']],
    [
      ['status=running', 'status=exited'],
      ['lost', 'web', 'old-web'],
    ],
    [['exited=3'], ['old-web']],
    [['exited=0'], []],
    [['ancestor=debian'], ['lost', 'web', 'old-web']],
    [['ancestor=none'], []],
    [['before=web'], ['old-web']],
    [['since=web'], ['lost']],
    [['volume=data'], ['web']],
    [['volume=/d'], ['web']],
    [['volume=/srv'], ['web']],
    [['volume=/v/data/_data'], []],
    [['network=bridge'], ['web', 'old-web']],
    [['network=none'], ['lost']],
    [['publish=80'], ['web']],
    [['publish=79-81/tcp'], ['web']],
    [['publish=53/udp'], []],
    [['expose=53/udp'], ['web']],
    [['expose=53'], []],
    [['health=healthy'], ['web']],
    [['health=none'], ['lost', 'old-web']],
    [['status=exited', 'label=use'], ['old-web']],
  ]
  for (const [filters, names] of cases) {
    it(filters.join(' ') || 'none', () => assert.deepEqual(shown(...filters), names))
  }

  const wrong: [filter: string, message: RegExp][] = [
    ['color=red', /invalid filter 'color'/],
    ['is-task=true', /invalid filter 'is-task'/],
    ['status=up', /invalid filter 'status=up'/],
    ['exited=x', /invalid filter 'exited=x'/],
    ['health=fine', /unrecognized filter value for health: fine/],
    ['before=nobody', /no nobody/],
    ['publish=abc', /error while looking up for publish abc/],
    ['publish=8:9', /error while looking up/],
    ['expose=90-80', /error while looking up for expose/],
    ['expose=70000', /error while looking up for expose/],
  ]
  for (const [filter, message] of wrong) {
    it(`${filter} is refused`, () => assert.throws(() => shown(filter), message))
  }
})

describe('the filters of container prune', () => {
  const now = Date.parse('2026-01-03T00:00:00Z')
  const taken = (...filters: string[]) =>
    all.filter(containerPruneFilter(filters, now)).map(({ container }) => container.name)

  it('spare what runs, is paused, or will be restarted', () => {
    assert.deepEqual(taken(), ['lost', 'old-web'])
    const keep = containerPruneFilter([], now)
    const states = ['created', 'exited', 'running', 'paused', 'restarting'] as const
    assert.deepEqual(
      states.filter(state => keep(listed({ state }) satisfies Listed)),
      ['created', 'exited'],
    )
  })

  it('choose by age and label', () => {
    assert.deepEqual(taken('until=24h'), ['old-web'])
    assert.deepEqual(taken('until=2026-01-01'), [])
    assert.deepEqual(taken('label=use'), ['old-web'])
    assert.deepEqual(taken('label!=use'), ['lost'])
    assert.throws(() => taken('until=whenever'), /failed to parse value as time or duration/)
    assert.throws(() => taken('status=exited'), /invalid filter 'status'/)
  })
})
