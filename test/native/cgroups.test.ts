// Ops on cgroups: ending all of one, and an eBPF filter for devices.

import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { spawnExecutor } from '../../src/system/executor.ts'
import { call, errnoOf, inSandbox, succeed } from './executors.ts'

/** A directory in the version 2 hierarchy, wherever that is mounted. */
function cgroup2(): string | undefined {
  const mount = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find(line => line.includes(' - cgroup2 '))
  return mount?.split(' ')[4]
}

test('remove_cgroup takes those below along and ends every process, those that fork meanwhile too', async t => {
  const mount = cgroup2()
  if (!mount) return t.skip('no cgroup2 hierarchy is mounted')
  const directory = `${mount}/minictr-test-${process.pid}`
  mkdirSync(directory)
  const { executor, close } = spawnExecutor()
  const members: ChildProcess[] = []
  try {
    for (let i = 0; i < 3; i++) {
      const script = `echo 0 > ${directory}/cgroup.procs; echo in; while :; do sleep 0.01 & wait; done`
      const member = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
      members.push(member)
      await once(member.stdout!, 'data')
    }
    mkdirSync(`${directory}/.below/deeper`, { recursive: true })
    writeFileSync(`${directory}/.below/deeper/cgroup.procs`, String(members[0]!.pid))
    await succeed(executor, call('remove_cgroup', directory), call('remove_cgroup', directory))
    assert.equal(existsSync(directory), false)
  } finally {
    for (const member of members) member.kill('SIGKILL')
    await close()
    if (existsSync(directory)) rmdirSync(directory)
  }
})

/** struct bpf_insn[]: r0 = 0; exit. Every device is refused. */
const refuseAll = Buffer.from('b700000000000000' + '9500000000000000', 'hex')

test('attach_device_filter refuses devices to the processes of a cgroup', async t => {
  const mount = cgroup2()
  if (!mount) return t.skip('no cgroup2 hierarchy is mounted')
  const directory = `${mount}/minictr-test-devices-${process.pid}`
  mkdirSync(directory)
  try {
    await inSandbox(async ({ executor }) => {
      await succeed(executor, call('attach_device_filter', directory, refuseAll))
      assert.equal(
        await errnoOf(executor, call('attach_device_filter', directory, Buffer.alloc(8))),
        'EINVAL',
      )
      assert.equal(await errnoOf(executor, call('attach_device_filter', '/absent', refuseAll)), 'ENOENT')
    })
    const script = `echo 0 > ${directory}/cgroup.procs; head -c 1 /dev/zero || echo refused; head -c 4 /etc/passwd`
    const said = execFileSync('sh', ['-c', script], { encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] })
    assert.equal(said, 'refused\nroot')
  } finally {
    rmdirSync(directory)
  }
})
