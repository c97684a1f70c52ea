// Cgroups for real: on this host's own hierarchies, and on its cgroup v2 alone where it has one beside v1.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type HostFacts, hierarchyOf, unifiedHierarchy } from '../../src/runtime/host.ts'
import type { Op } from '../../src/runtime/op.ts'
import { callOf } from '../../src/runtime/ops.ts'
import type { Resources } from '../../src/runtime/spec.ts'
import { cgroupDirectories, cgroupSteps } from '../../src/runtime/steps/cgroup.ts'
import { type LoneExecutor, spawnExecutor } from '../../src/system/executor.ts'
import { hostFacts } from '../../src/system/host-facts.ts'
import { likelyCause } from '../../src/system/likely-cause.ts'

const host = hostFacts()
const unified = unifiedHierarchy(host)
const isHybrid = unified !== undefined && host.cgroups.some(({ version }) => version === 1)
/** This host as if v2 were all it has, with the controllers v1 has left to it. */
const unifiedOnly: HostFacts = { ...host, cgroups: unified ? [unified] : [] }
const noUnified = unified ? false : 'no cgroup v2 is mounted here'

let count = 0
const newPath = () => `/minictr/test-${process.pid}-${count++}`

async function perform({ executor }: LoneExecutor, ops: Op[]): Promise<void> {
  const calls = ops.map(op => callOf(op, { slot: () => 0, text: String }))
  const { answers } = await executor.perform(calls)
  answers.forEach((answer, index) => {
    const tolerated = answer.errno !== undefined && calls[index]!.tolerate.includes(answer.errno)
    assert.ok(answer.errno === undefined || tolerated, `${JSON.stringify(ops[index])}: ${answer.errno}`)
  })
  assert.equal(answers.length, ops.length)
}

/** Makes the cgroup, has `use` look at it while an executor is in it, and undoes all. */
async function inCgroup(
  facts: HostFacts,
  resources: Resources,
  use: (member: LoneExecutor, path: string) => Promise<void> | void,
): Promise<void> {
  const cgroupsPath = newPath()
  const { create, join } = cgroupSteps({ cgroupsPath, resources }, facts)
  const monitor = spawnExecutor()
  const member = spawnExecutor()
  try {
    await perform(
      monitor,
      create.flatMap(step => step.ops),
    )
    await perform(member, join.ops)
    await use(member, cgroupsPath)
  } finally {
    await member.close()
    for (const { undo } of create.toReversed()) if (Array.isArray(undo)) await perform(monitor, undo)
    await monitor.close()
  }
  for (const directory of cgroupDirectories(cgroupsPath, facts)) assert.ok(!existsSync(directory), directory)
}

function read(facts: HostFacts, controller: string, path: string, file: string): string {
  return readFileSync(`${hierarchyOf(facts, controller)!.mountPoint}${path}/${file}`, 'utf8').trim()
}

const readOp = (path: string): Op => ({ op: 'open', path, how: 'read', as: 'device' })

/** The error by which opening a device fails for a member, or nothing. */
async function openError({ executor }: LoneExecutor, path: string): Promise<string | undefined> {
  const { answers } = await executor.perform([callOf(readOp(path), { slot: () => 7, text: String })])
  return answers[0]?.errno
}

test('a process that joins is in the container’s cgroup of every hierarchy', () =>
  inCgroup(host, {}, ({ pid }, path) => {
    const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')
    const joined = lines.filter(line => line.endsWith(`:${path}`))
    assert.equal(joined.length, cgroupDirectories(path, host).length, lines.join('\n'))
  }))

test('limits are in the kernel’s files', async t => {
  const missing = ['memory', 'cpu', 'cpuset', 'pids'].filter(name => !hierarchyOf(host, name))
  if (missing.length) return t.skip(`this host has no controller ${missing}`)
  const mebibyte = 1024 * 1024
  const resources: Resources = {
    memory: { limit: 64 * mebibyte, swap: 96 * mebibyte, reservation: 32 * mebibyte },
    cpu: { shares: 512, quota: 50_000, period: 200_000, cpus: '0', mems: '0' },
    pids: { limit: 17 },
    ...(host.blockWeightFile && { blockIO: { weight: 300 } }),
  }
  await inCgroup(host, resources, ({ pid }, path) => {
    const value = (controller: string, file: string) => read(host, controller, path, file)
    if (hierarchyOf(host, 'memory')!.version === 1) {
      assert.equal(value('memory', 'memory.limit_in_bytes'), String(64 * mebibyte))
      assert.equal(value('memory', 'memory.memsw.limit_in_bytes'), String(96 * mebibyte))
      assert.equal(value('memory', 'memory.soft_limit_in_bytes'), String(32 * mebibyte))
    } else {
      assert.equal(value('memory', 'memory.max'), String(64 * mebibyte))
      assert.equal(value('memory', 'memory.swap.max'), String(32 * mebibyte))
      assert.equal(value('memory', 'memory.low'), String(32 * mebibyte))
    }
    if (hierarchyOf(host, 'cpu')!.version === 1) {
      assert.equal(value('cpu', 'cpu.shares'), '512')
      assert.equal(value('cpu', 'cpu.cfs_quota_us'), '50000')
      assert.equal(value('cpu', 'cpu.cfs_period_us'), '200000')
    } else {
      assert.equal(value('cpu', 'cpu.weight'), '59')
      assert.equal(value('cpu', 'cpu.max'), '50000 200000')
    }
    assert.equal(value('pids', 'pids.max'), '17')
    if (host.blockWeightFile) {
      const controller = host.blockWeightFile.startsWith('io') ? 'io' : 'blkio'
      assert.match(value(controller, host.blockWeightFile), /300|2930/)
    }
    assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Cpus_allowed_list:\t0$/m)
  })
})

const devices: Resources = {
  devices: [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', access: 'm' },
    { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
  ],
}

for (const [name, facts, skip] of [
  ['this host’s own way', host, false],
  ['an eBPF program of cgroup v2', unifiedOnly, noUnified],
] as const) {
  test(`devices are closed but those allowed: ${name}`, { skip }, () =>
    inCgroup(facts, devices, async member => {
      assert.equal(await openError(member, '/dev/null'), undefined)
      assert.equal(await openError(member, '/dev/zero'), 'EPERM')
      assert.equal(await openError(member, '/dev/full'), 'EPERM')
    }),
  )

  test(`everything is open without rules: ${name}`, { skip }, () =>
    inCgroup(facts, {}, async member => assert.equal(await openError(member, '/dev/zero'), undefined)),
  )
}

test('the v2 cgroup of a hybrid host is joined where v2 is all that is asked for', { skip: !isHybrid }, () =>
  inCgroup(unifiedOnly, {}, ({ pid }, path) => {
    assert.match(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), new RegExp(`^0::${path}$`, 'm'))
  }),
)

test('undoing ends the processes that are left, and the directories go with all below them', async () => {
  const cgroupsPath = newPath()
  const { create } = cgroupSteps({ cgroupsPath }, host)
  const monitor = spawnExecutor()
  const sleeper = spawn('sleep', ['600'])
  await once(sleeper, 'spawn')
  await perform(monitor, create[0]!.ops)
  const writes = cgroupDirectories(cgroupsPath, host).map(
    (directory): Op => ({
      op: 'write_file',
      path: `${directory}/cgroup.procs`,
      content: String(sleeper.pid),
      how: 'existing',
    }),
  )
  await perform(monitor, writes)
  // As a container that manages cgroups of its own leaves them.
  for (const directory of cgroupDirectories(cgroupsPath, host))
    mkdirSync(`${directory}/nested/deep`, { recursive: true })
  const exit = once(sleeper, 'exit')
  await perform(monitor, create[0]!.undo as Op[])
  assert.deepEqual(await exit, [null, 'SIGKILL'])
  await monitor.close()
  for (const directory of cgroupDirectories(cgroupsPath, host)) assert.ok(!existsSync(directory), directory)
})

test('undoing what was never made, and undoing twice, is no error', async () => {
  const { create } = cgroupSteps({ cgroupsPath: newPath() }, host)
  const monitor = spawnExecutor()
  await perform(monitor, create[0]!.undo as Op[])
  await perform(monitor, create[0]!.ops.slice(0, 2))
  await perform(monitor, create[0]!.undo as Op[])
  await perform(monitor, create[0]!.undo as Op[])
  await monitor.close()
})

test('many containers that come and go at once never miss their shared directory', async () => {
  const rounds = 40
  const facts = unifiedOnly.cgroups.length ? unifiedOnly : host
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      const monitor = spawnExecutor()
      for (let round = 0; round < rounds; round++) {
        const [create] = cgroupSteps({ cgroupsPath: newPath() }, facts).create
        await perform(monitor, create!.ops)
        await perform(monitor, create!.undo as Op[])
      }
      await monitor.close()
    }),
  )
})

test('the last container takes the shared directory with it', async t => {
  const shared = host.cgroups
    .map(({ mountPoint }) => `${mountPoint}/minictr`)
    .filter(path => existsSync(path))
  const inUse = shared.filter(path =>
    readdirSync(path, { withFileTypes: true }).some(entry => entry.isDirectory()),
  )
  if (inUse.length) return t.skip('containers are running on this host')
  assert.deepEqual(shared, [])
})

test('the cause of a cgroup that passes nothing on is the process in it', { skip: noUnified }, () =>
  inCgroup(unifiedOnly, {}, ({ pid }, path) => {
    const file = `${unified!.mountPoint}${path}/cgroup.subtree_control`
    const cause = likelyCause({ op: 'write_file', path: file }, 'EBUSY')
    assert.match(cause ?? '', new RegExp(`^process ${pid} is in .*${path} itself`))
    const above = `${unified!.mountPoint}/minictr/cgroup.subtree_control`
    assert.equal(likelyCause({ op: 'write_file', path: above }, 'EBUSY'), undefined)
  }),
)
