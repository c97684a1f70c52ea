// The plans that change a container which stays: pause, rename, update. What fails half-way is taken back.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { limitChanges } from '../../../src/runtime/cgroup-limits.ts'
import { connectPlan, disconnectPlan } from '../../../src/runtime/connect-plan.ts'
import { freezerOf } from '../../../src/runtime/freezer.ts'
import type { Op } from '../../../src/runtime/op.ts'
import { showOp } from '../../../src/runtime/ops.ts'
import { pausePlan, unpausePlan } from '../../../src/runtime/pause-plan.ts'
import type { LinkKind } from '../../../src/runtime/planned-networks.ts'
import { renamePlan } from '../../../src/runtime/rename-plan.ts'
import type { Resources } from '../../../src/runtime/spec.ts'
import { undoesOf } from '../../../src/runtime/steps/undo.ts'
import { updatePlan } from '../../../src/runtime/update-plan.ts'
import { hybridHost, unifiedHost } from './hosts.ts'

const MIB = 1024 ** 2
const containerId = 'c0ffee'
const lockFile = '/containers/c0ffee/lock'
const shown = (ops: Op[] | object) => (Array.isArray(ops) ? ops.map(showOp) : ops)

describe('the plans of pause and unpause', () => {
  it('write the word under the lock, and wait until it is so; a pause that fails lets all go on', () => {
    const context = { containerId, lockFile, freezer: freezerOf('/minictr/c0ffee', unifiedHost) }
    const [lock, freeze] = pausePlan(context).steps
    assert.equal(lock!.id, 'lock-container')
    assert.deepEqual(shown(freeze!.ops), [
      'write("/sys/fs/cgroup/minictr/c0ffee/cgroup.freeze", "1")',
      'read("/sys/fs/cgroup/minictr/c0ffee/cgroup.events") until there is a line "frozen 1"',
    ])
    assert.deepEqual(shown(freeze!.undo), ['write("/sys/fs/cgroup/minictr/c0ffee/cgroup.freeze", "0")'])
    const [, thaw] = unpausePlan(context).steps
    assert.deepEqual(shown(thaw!.ops), [
      'write("/sys/fs/cgroup/minictr/c0ffee/cgroup.freeze", "0")',
      'read("/sys/fs/cgroup/minictr/c0ffee/cgroup.events") until there is a line "frozen 0"',
    ])
  })
})

const change = {
  containerId,
  lockFile,
  process: { pid: 7, startTimeTicks: '9' },
  record: { path: '/c/container.json', aside: '/c/container.json.new', text: 'new' },
  files: [{ path: '/c/hosts', before: 'old', after: 'new' }],
}
const formerRoute = { destination: '0.0.0.0/0', gateway: '10.0.0.1', link: 'eth0' }

function joining(kind: LinkKind) {
  const link = { name: 'eth1', kind, addresses: ['10.1.0.2/24'], settings: [] }
  const place = {
    networkName: 'back',
    networkFile: '/networks/back',
    claims: ['/addresses/10.1.0.2'],
    endpoint: { path: '/endpoints/c0ffee.json', content: '' },
    link: { ...link, defaultRoutes: [{ destination: '0.0.0.0/0', gateway: '10.1.0.1' }] },
    names: [],
  }
  const networks = { hostSettings: [], bridges: [], nameServers: [], files: [], places: [place] }
  return connectPlan({ ...change, networks, formerRoutes: [formerRoute] })
}

describe('the plan of joining a network', () => {
  const onBridge = { driver: 'bridge', hostLink: 'veth', bridge: 'br', alias: '', isHairpin: false } as const

  it('gives the former way out back before the link goes, and each side undoes what only it can see', () => {
    const undoing = undoesOf(joining(onBridge).steps).reverse()
    assert.deepEqual(
      undoing.map(({ step, side = 'host', undo }) => [step, side, ...undo.map(showOp)]),
      [
        ['record-networks', 'host', 'unlink("/c/container.json.new")'],
        ['rewrite-network-files', 'host', 'write("/c/hosts", "old")'],
        [
          ...['configure-links', 'container'],
          'rtnetlink(RTM_DELROUTE, {RTA_DST 0.0.0.0/0, RTA_GATEWAY 10.1.0.1, RTA_OIF eth1})',
          'rtnetlink(RTM_DELADDR, {dev eth1, IFA_LOCAL 10.1.0.2/24})',
        ],
        [
          ...['leave-way-out', 'container'],
          'rtnetlink(RTM_NEWROUTE, {RTA_DST 0.0.0.0/0, RTA_GATEWAY 10.0.0.1, RTA_OIF eth0})',
        ],
        ['create-veth', 'host', 'rtnetlink(RTM_DELLINK, {dev veth})'],
        [
          ...['claim-addresses', 'host', 'unlink("/endpoints/c0ffee.json")'],
          'unlink("/addresses/10.1.0.2") if it holds "c0ffee"',
        ],
      ],
    )
  })

  it('has a link that lies in the container alone deleted there', () => {
    const { steps } = joining({ driver: 'macvlan', parent: 'eth9', mode: 'bridge' })
    const [undo] = undoesOf(steps.filter(({ id }) => id === 'create-sublink'))
    assert.deepEqual(
      [undo!.side, ...undo!.undo.map(showOp)],
      ['container', 'rtnetlink(RTM_DELLINK, {dev eth1})'],
    )
    assert.equal(steps.find(({ id }) => id === 'create-sublink')!.side, 'host')
  })
})

describe('the plan of leaving a network', () => {
  it('takes nothing back from the first step on that takes something away', () => {
    const place = { link: 'eth1', claims: ['/a'], endpointFile: '/e', nameFiles: ['/n'] }
    const { steps, onwardFrom } = disconnectPlan({ ...change, place, routes: [formerRoute] })
    assert.equal(steps[onwardFrom!]!.id, 'withdraw-name')
    assert.deepEqual(
      undoesOf(steps).map(({ step }) => step),
      ['record-networks'],
    )
  })

  it('goes on where somebody was killed when the place was released already', () => {
    const { steps } = disconnectPlan({ ...change, routes: [] })
    assert.deepEqual(
      steps.map(({ id }) => id),
      ['lock-container', 'rewrite-network-files', 'record-networks'],
    )
  })
})

describe('the plan of a rename', () => {
  const { steps } = renamePlan({
    containerId,
    lockFile,
    oldNameFile: '/names/old',
    newNameFile: '/names/new',
    record: { path: '/containers/c0ffee/container.json', before: 'old\n', after: 'new\n' },
    inNetworks: [],
  })

  it('claims the new name before it gives the old one back', () => {
    assert.deepEqual(
      steps.map(({ id }) => id),
      ['lock-container', 'claim-name', 'write-new-name', 'give-back-name'],
    )
    assert.deepEqual(shown(steps[3]!.ops), ['unlink("/names/old") if it holds "c0ffee"'])
  })

  it('replaces the record at once, and takes all back where it fails half-way', () => {
    assert.deepEqual(shown(steps[2]!.ops), [
      'write("/containers/c0ffee/container.json.new", "new\\n")',
      'rename("/containers/c0ffee/container.json.new", "/containers/c0ffee/container.json")',
    ])
    assert.deepEqual(shown(steps[2]!.undo), [
      'write("/containers/c0ffee/container.json.new", "old\\n")',
      'rename("/containers/c0ffee/container.json.new", "/containers/c0ffee/container.json")',
    ])
    assert.deepEqual(shown(steps[1]!.undo), ['unlink("/names/new") if it holds "c0ffee"'])
  })
})

describe('the plan of an update', () => {
  const limits = [
    { controller: 'pids', file: 'pids.max', value: '50', before: 'max' },
    { controller: 'memory', file: 'memory.max', value: '9', before: '8' },
  ]
  const file = { path: '/containers/c0ffee/config.json', before: 'a\n', after: 'b\n' }
  const context = { containerId, lockFile, cgroupsPath: '/minictr/c0ffee', host: unifiedHost }

  it('writes the limits, then the files; what undoes it are the numbers there were, the last one first', () => {
    const { steps } = updatePlan({ ...context, limits, files: [file] })
    assert.deepEqual(
      steps.map(({ id }) => id),
      ['lock-container', 'change-limits', 'rewrite-configuration'],
    )
    assert.deepEqual(shown(steps[1]!.undo), [
      'write("/sys/fs/cgroup/minictr/c0ffee/memory.max", "8")',
      'write("/sys/fs/cgroup/minictr/c0ffee/pids.max", "max")',
    ])
  })

  it('has no step for what does not change', () => {
    const ids = (more: { limits: typeof limits; files: (typeof file)[] }) =>
      updatePlan({ ...context, ...more }).steps.map(({ id }) => id)
    assert.deepEqual(ids({ limits: [], files: [file] }), ['lock-container', 'rewrite-configuration'])
    assert.deepEqual(ids({ limits, files: [] }), ['lock-container', 'change-limits'])
  })
})

describe('limits of a cgroup in use', () => {
  const written = (given: Resources, host = hybridHost, nowBytes = 64 * MIB, whole = given) =>
    limitChanges(given, whole, host, nowBytes).map(({ file, value }) => `${file}=${value}`)
  const memory = (limit: number, swap: number) => ({ memory: { limit, swap } })

  it('of memory and swap are written in the order that v1 takes', () => {
    const limit = (bytes: number) => `memory.limit_in_bytes=${bytes}`
    const together = (bytes: number) => `memory.memsw.limit_in_bytes=${bytes}`
    assert.deepEqual(written(memory(100 * MIB, 200 * MIB)), [together(200 * MIB), limit(100 * MIB)])
    assert.deepEqual(written(memory(30 * MIB, 64 * MIB)), [together(64 * MIB), limit(30 * MIB)])
    assert.deepEqual(written(memory(30 * MIB, 40 * MIB)), [limit(30 * MIB), together(40 * MIB)])
    assert.deepEqual(written(memory(90 * MIB, -1)), [together(-1), limit(90 * MIB)])
  })

  it('of v1 obey memory <= memory and swap after every single write', () => {
    for (const [limit, swap] of [
      [64, 64],
      [64, 128],
      [64, Number.POSITIVE_INFINITY],
    ]) {
      for (const [newLimit, newSwap] of [
        [10, 10],
        [10, 64],
        [63, 65],
        [100, 100],
        [100, 500],
        [100, -1],
        [1, -1],
      ]) {
        const state = { limit: limit!, swap: swap! }
        for (const text of written(memory(newLimit!, newSwap!), hybridHost, state.limit)) {
          const value = Number(text.split('=')[1])
          const bytes = value < 0 ? Number.POSITIVE_INFINITY : value
          if (text.includes('memsw')) state.swap = bytes
          else state.limit = bytes
          assert.ok(state.limit <= state.swap, `${limit} ${swap} -> ${newLimit} ${newSwap}: ${text}`)
        }
      }
    }
  })

  it('of v2 count swap alone, also where only one of the two changes', () => {
    const whole = { memory: { limit: 100 * MIB, swap: 150 * MIB } }
    const changed = (given: Resources['memory']) => written({ memory: given }, unifiedHost, 0, whole)
    assert.deepEqual(changed(whole.memory), [`memory.max=${100 * MIB}`, `memory.swap.max=${50 * MIB}`])
    assert.deepEqual(changed({ limit: 100 * MIB }), [
      `memory.max=${100 * MIB}`,
      `memory.swap.max=${50 * MIB}`,
    ])
    assert.deepEqual(changed({ swap: 150 * MIB }), [`memory.swap.max=${50 * MIB}`])
    assert.deepEqual(changed({ swap: -1 }), ['memory.swap.max=max'])
  })

  it('are taken away with -1', () => {
    assert.deepEqual(written({ pids: { limit: -1 }, cpu: { quota: -1 } }), [
      'cpu.cfs_quota_us=-1',
      'pids.max=max',
    ])
    assert.deepEqual(written({ pids: { limit: -1 }, cpu: { quota: -1 } }, unifiedHost), [
      'cpu.max=max 100000',
      'pids.max=max',
    ])
  })

  it('of processors on v2 are one line of what changes and what stays', () => {
    const whole = { cpu: { quota: 20_000, period: 50_000 } }
    assert.deepEqual(written({ cpu: { quota: 20_000 } }, unifiedHost, 0, whole), ['cpu.max=20000 50000'])
  })
})
