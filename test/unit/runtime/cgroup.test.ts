import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limitWrites, weightFromShares } from '../../../src/runtime/cgroup-limits.ts'
import type { HostFacts } from '../../../src/runtime/host.ts'
import type { Op, OpOf } from '../../../src/runtime/op.ts'
import type { Resources } from '../../../src/runtime/spec.ts'
import { cgroupDirectories, cgroupSteps } from '../../../src/runtime/steps/cgroup.ts'
import { bareHost, hybridHost, unifiedHost } from './hosts.ts'

const cgroupsPath = '/minictr/c1'
const mebibyte = 1024 * 1024

function limits(resources: Resources, host: HostFacts): string[] {
  return limitWrites(resources, host).map(({ controller, file, value }) => `${controller} ${file}=${value}`)
}

function written(ops: Op[]): string[] {
  return ops
    .filter((op): op is OpOf<'write_file'> => op.op === 'write_file')
    .map(op => `${op.path}=${op.content}`)
}

test('memory limits on v1 and v2', () => {
  const memory = { limit: 64 * mebibyte, swap: 96 * mebibyte, reservation: 32 * mebibyte }
  assert.deepEqual(limits({ memory: { ...memory, swappiness: 0, disableOOMKiller: true } }, hybridHost), [
    'memory memory.limit_in_bytes=67108864',
    'memory memory.memsw.limit_in_bytes=100663296',
    'memory memory.soft_limit_in_bytes=33554432',
    'memory memory.swappiness=0',
    'memory memory.oom_control=1',
  ])
  assert.deepEqual(limits({ memory }, unifiedHost), [
    'memory memory.max=67108864',
    'memory memory.swap.max=33554432',
    'memory memory.low=33554432',
  ])
})

test('unlimited is not written: a new cgroup is unlimited', () => {
  const resources = { memory: { limit: -1, swap: -1 }, cpu: { quota: -1, shares: 0 }, pids: { limit: -1 } }
  assert.deepEqual(limits(resources, hybridHost), [])
  assert.deepEqual(limits(resources, unifiedHost), [])
  assert.deepEqual(limits({ memory: { limit: mebibyte, swap: -1 } }, unifiedHost), [
    'memory memory.max=1048576',
  ])
})

test('processor limits on v1 and v2', () => {
  const cpu = { shares: 512, quota: 150_000, period: 100_000, cpus: '0-1', mems: '0' }
  assert.deepEqual(limits({ cpu }, hybridHost), [
    'cpu cpu.shares=512',
    'cpu cpu.cfs_period_us=100000',
    'cpu cpu.cfs_quota_us=150000',
    'cpuset cpuset.cpus=0-1',
    'cpuset cpuset.mems=0',
  ])
  assert.deepEqual(limits({ cpu }, unifiedHost), [
    'cpu cpu.weight=59',
    'cpu cpu.max=150000 100000',
    'cpuset cpuset.cpus=0-1',
    'cpuset cpuset.mems=0',
  ])
  assert.deepEqual(limits({ cpu: { quota: 50_000 } }, unifiedHost), ['cpu cpu.max=50000 100000'])
})

test('shares become weights as in runc: both ends and the neutral value fit', () => {
  // 2000 -> 170 is the example of runc's release notes.
  const pairs = [
    [1, 1],
    [2, 1],
    [1024, 100],
    [2000, 170],
    [262144, 10000],
    [300000, 10000],
  ] as const
  for (const [shares, weight] of pairs) assert.equal(weightFromShares(shares), weight, `${shares}`)
})

test('processes and block I/O', () => {
  const resources = { pids: { limit: 7 }, blockIO: { weight: 500 } }
  assert.deepEqual(limits(resources, hybridHost), ['pids pids.max=7', 'blkio blkio.bfq.weight=500'])
  assert.deepEqual(limits(resources, unifiedHost), ['pids pids.max=7', 'io io.weight=4950'])
  const bfq: HostFacts = { ...unifiedHost, blockWeightFile: 'io.bfq.weight' }
  assert.deepEqual(limits({ blockIO: { weight: 500 } }, bfq), ['io io.bfq.weight=500'])
})

test('a limit that cannot be set is an error, never left out', () => {
  assert.throws(() => limits({ memory: { limit: mebibyte } }, bareHost), { message: /controller memory/ })
  assert.throws(() => limits({ pids: { limit: 5 } }, bareHost), { message: /controller pids/ })
  assert.throws(() => limits({ cpu: { cpus: '0' } }, bareHost), { message: /controller cpuset/ })
  assert.throws(() => limits({ blockIO: { weight: 10 } }, bareHost), { message: /weights/ })
  assert.throws(() => limits({ memory: { limit: mebibyte, swappiness: 5 } }, unifiedHost), {
    message: /v1 only/,
  })
  assert.throws(() => limits({ memory: { swap: mebibyte } }, unifiedHost), {
    message: /needs a limit of memory/,
  })
  assert.throws(() => limits({ memory: { limit: 2 * mebibyte, swap: mebibyte } }, unifiedHost), {
    message: /is below/,
  })
  assert.throws(() => cgroupSteps({ cgroupsPath }, bareHost), { message: /No cgroup file system/ })
})

test('on v1 there is a directory in each hierarchy, and none in a v2 without controllers of use', () => {
  assert.deepEqual(cgroupDirectories(cgroupsPath, hybridHost), [
    '/sys/fs/cgroup/cpu,cpuacct/minictr/c1',
    '/sys/fs/cgroup/cpuset/minictr/c1',
    '/sys/fs/cgroup/memory/minictr/c1',
    '/sys/fs/cgroup/devices/minictr/c1',
    '/sys/fs/cgroup/freezer/minictr/c1',
    '/sys/fs/cgroup/blkio/minictr/c1',
    '/sys/fs/cgroup/pids/minictr/c1',
    '/sys/fs/cgroup/systemd/minictr/c1',
  ])
  assert.deepEqual(cgroupDirectories(cgroupsPath, unifiedHost), ['/sys/fs/cgroup/minictr/c1'])
})

test('a v1 cpuset is filled from the top down before anybody joins', () => {
  const [create] = cgroupSteps({ cgroupsPath }, hybridHost).create
  assert.deepEqual(written(create!.ops), [
    '/sys/fs/cgroup/cpuset/minictr/cpuset.cpus=0-3',
    '/sys/fs/cgroup/cpuset/minictr/cpuset.mems=0',
    '/sys/fs/cgroup/cpuset/minictr/c1/cpuset.cpus=0-3',
    '/sys/fs/cgroup/cpuset/minictr/c1/cpuset.mems=0',
  ])
})

test('v2 controllers are passed on from the top down, where the root does not already', () => {
  const [create] = cgroupSteps({ cgroupsPath }, unifiedHost).create
  assert.deepEqual(written(create!.ops), [
    '/sys/fs/cgroup/cgroup.subtree_control=+cpuset +io',
    '/sys/fs/cgroup/minictr/cgroup.subtree_control=+cpu +cpuset +io +memory +pids',
  ])
  // The child exists by then, so nobody can remove the parent in between.
  assert.equal(create!.ops[0]?.op, 'mkdir')
})

test('undo removes the container’s directories with all that is left in them, then the shared ones', () => {
  const { undo } = cgroupSteps({ cgroupsPath }, unifiedHost).create[0]!
  assert.deepEqual(undo, [
    { op: 'remove_cgroup', path: '/sys/fs/cgroup/minictr/c1' },
    { op: 'rmdir', path: '/sys/fs/cgroup/minictr', tolerate: ['ENOENT', 'EBUSY', 'ENOTEMPTY'] },
  ])
})

test('directories above the container that minictr did not make are not removed', () => {
  const { undo } = cgroupSteps({ cgroupsPath: '/batch/night/c1' }, unifiedHost).create[0]!
  assert.deepEqual(undo, [{ op: 'remove_cgroup', path: '/sys/fs/cgroup/batch/night/c1' }])
})

test('init joins every hierarchy by itself', () => {
  const legacy = written(cgroupSteps({ cgroupsPath }, hybridHost).join.ops)
  assert.equal(legacy.length, 8)
  assert.equal(legacy[2], '/sys/fs/cgroup/memory/minictr/c1/tasks=0')
  assert.deepEqual(written(cgroupSteps({ cgroupsPath }, unifiedHost).join.ops), [
    '/sys/fs/cgroup/minictr/c1/cgroup.procs=0',
  ])
})

test('devices are limited by the v1 controller where there is one, by eBPF elsewhere', () => {
  const resources: Resources = {
    devices: [
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
      { allow: true, type: 'c', major: 136, minor: -1, access: 'rw' },
    ],
  }
  const legacy = cgroupSteps({ cgroupsPath, resources }, hybridHost).create.at(-1)
  assert.equal(legacy?.id, 'limit-devices')
  assert.deepEqual(written(legacy.ops), [
    '/sys/fs/cgroup/devices/minictr/c1/devices.deny=a',
    '/sys/fs/cgroup/devices/minictr/c1/devices.allow=c 1:3 rwm',
    '/sys/fs/cgroup/devices/minictr/c1/devices.allow=c 136:* rw',
  ])
  const [unified] = cgroupSteps({ cgroupsPath, resources }, unifiedHost).create.at(-1)!.ops
  assert.equal(unified?.op, 'attach_device_filter')
})

test('a privileged container has no device step', () => {
  const resources: Resources = { devices: [{ allow: true, access: 'rwm' }] }
  const ids = cgroupSteps({ cgroupsPath, resources }, unifiedHost).create.map(step => step.id)
  assert.deepEqual(ids, ['create-cgroup'])
})
