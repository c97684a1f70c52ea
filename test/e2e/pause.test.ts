// pause and unpause: processes that stand still and go on, and what can be done to a container meanwhile.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freezerOf } from '../../src/runtime/freezer.ts'
import { unifiedHierarchy } from '../../src/runtime/host.ts'
import { pausePlan, unpausePlan } from '../../src/runtime/pause-plan.ts'
import { perform } from '../../src/runtime/perform.ts'
import { tellOps } from '../../src/runtime/perform-ops.ts'
import { unlockContainer } from '../../src/runtime/steps/container-files.ts'
import { spawnExecutor } from '../../src/system/executor.ts'
import { hostFacts } from '../../src/system/host-facts.ts'
import { useDebian } from './debian.ts'
import { detached, eventsOf, obedient, pidOf, stateOf } from './detached.ts'

const debian = useDebian()

afterEach(async () => {
  await debian.minictr('rm', '-f', 'box')
})

const counting = 'echo ready; while :; do echo tick; sleep 0.02; done'

/** How many lines the container has written so far. */
async function lines(): Promise<number> {
  return (await debian.minictr('logs', 'box')).stdout.split('\n').length
}

describe('a paused container', () => {
  it('stands still until it is let go on, with all its processes', async () => {
    const id = await detached(debian, 'box', `(${counting}) & ${counting}`)
    assert.deepEqual(await debian.minictr('pause', 'box'), { status: 0, stdout: 'box\n', stderr: '' })
    const before = await lines()
    await sleep(300)
    assert.equal(await lines(), before)
    assert.deepEqual(await debian.minictr('unpause', 'box'), { status: 0, stdout: 'box\n', stderr: '' })
    for (let tries = 0; tries < 500 && (await lines()) <= before; tries++) await sleep(20)
    assert.ok((await lines()) > before)
    assert.deepEqual(eventsOf(debian, id), ['create', 'start', 'pause', 'unpause'])
  })

  it('is told of in the words of Docker', async () => {
    const id = await detached(debian, 'box', counting)
    const words = async (...args: string[]) => {
      const { status, stderr } = await debian.minictr(...args)
      return `${status} ${stderr.split('\n')[0]}`
    }
    assert.equal(await words('unpause', 'box'), `1 minictr: Container ${id} is not paused`)
    await debian.minictr('pause', 'box')
    assert.equal(await words('pause', 'box'), `1 minictr: Container ${id} is already paused`)
    assert.equal(
      await words('exec', 'box', 'true'),
      '1 minictr: Container box is paused, unpause the container before exec',
    )
    assert.equal(
      await words('attach', 'box'),
      '1 minictr: You cannot attach to a paused container, unpause it first',
    )
    assert.equal(
      await words('start', 'box'),
      '1 minictr: cannot start a paused container, try unpause instead',
    )
    await debian.minictr('kill', 'box')
    for (const command of ['pause', 'unpause']) {
      const reason = command === 'pause' ? 'running' : 'paused'
      assert.equal(await words(command, 'box'), `1 minictr: Container ${id} is not ${reason}`)
    }
  })

  it('is stopped: the signal reaches it, and it goes on to end as it wants to', async () => {
    const id = await detached(debian, 'box', obedient)
    await debian.minictr('pause', 'box')
    assert.equal((await debian.minictr('stop', 'box')).status, 0)
    assert.equal(await stateOf(debian, 'box'), 'Exited (3)')
    assert.deepEqual(eventsOf(debian, id).slice(2), [
      'pause',
      'kill signal=15',
      'unpause',
      'die exitCode=3',
      'stop',
    ])
  })

  it('is killed and removed', async () => {
    for (const command of [['kill'], ['rm', '-f'], ['restart', '-t', '0']]) {
      const id = await detached(debian, 'box', counting)
      await debian.minictr('pause', 'box')
      assert.equal((await debian.minictr(...command, 'box')).status, 0)
      assert.ok(eventsOf(debian, id).includes('die exitCode=137'), command.join(' '))
      await debian.minictr('rm', '-f', 'box')
    }
  })

  it('that somebody paused while it was being stopped is ended all the same', async () => {
    const id = await detached(debian, 'box')
    const stopping = debian.minictr('stop', '-t', '2', 'box')
    for (let tries = 0; tries < 500 && !eventsOf(debian, id).includes('kill signal=15'); tries++)
      await sleep(10)
    assert.equal((await debian.minictr('pause', 'box')).status, 0)
    assert.equal((await stopping).status, 0)
    assert.equal(await stateOf(debian, 'box'), 'Exited (137)')
  })

  const hangsUp = 'trap "echo hung up; exit" HUP; echo ready; while :; do sleep 0.05; done'

  it('goes on with any signal where none was named to stop it, as with Docker', async () => {
    const id = await detached(debian, 'box', hangsUp)
    assert.equal((await debian.minictr('pause', 'box')).status, 0)
    assert.equal((await debian.minictr('kill', '-s', 'HUP', 'box')).status, 0)
    assert.equal((await debian.minictr('wait', 'box')).stdout, '0\n')
    assert.deepEqual(eventsOf(debian, id).slice(2, 5), ['pause', 'kill signal=1', 'unpause'])
  })

  it('gets other signals than that when it goes on', async () => {
    await detached(debian, 'box', hangsUp, '--stop-signal', 'TERM')
    assert.equal((await debian.minictr('pause', 'box')).status, 0)
    assert.equal((await debian.minictr('kill', '-s', 'HUP', 'box')).status, 0)
    await sleep(200)
    assert.equal((await debian.minictr('logs', 'box')).stdout, 'ready\n')
    assert.equal((await debian.minictr('unpause', 'box')).status, 0)
    assert.equal((await debian.minictr('wait', 'box')).stdout, '0\n')
    assert.equal((await debian.minictr('logs', 'box')).stdout, 'ready\nhung up\n')
  })

  it('has its processes frozen by the kernel', async () => {
    const id = await detached(debian, 'box', counting)
    const { statePath, frozenLine, thawedLine } = freezerOf(`/minictr/${id}`, hostFacts())
    const states = () => readFileSync(statePath, 'utf8').split('\n')
    await debian.minictr('pause', 'box')
    assert.ok(states().includes(frozenLine))
    await debian.minictr('unpause', 'box')
    assert.ok(states().includes(thawedLine))
    assert.ok(pidOf(debian, id) > 0)
  })
})

describe('the freezer of cgroup v2', () => {
  it('takes the same plan', async t => {
    const unified = unifiedHierarchy(hostFacts())
    if (!unified) return t.skip('this host has no cgroup v2 mounted')
    const { executor, pid, close } = spawnExecutor()
    const cgroupsPath = `/minictr-freezer-${pid}`
    const directory = unified.mountPoint + cgroupsPath
    const freezer = freezerOf(cgroupsPath, { cgroups: [unified] })
    const context = { containerId: 'box', lockFile: `/tmp/minictr-freezer-${pid}`, freezer }
    const frozen = spawnExecutor()
    const executors = { host: executor, container: executor }
    try {
      await executor.perform([
        { name: 'mkdir', args: ['', directory, 0o755, 0] },
        { name: 'write_file', args: ['', `${directory}/cgroup.procs`, String(frozen.pid), 2, 0] },
      ])
      await perform(pausePlan(context), executors, undefined)
      assert.match(readFileSync(`${directory}/cgroup.events`, 'utf8'), /^frozen 1$/m)
      tellOps([unlockContainer], executor)
      await perform(unpausePlan(context), executors, undefined)
      assert.match(readFileSync(`${directory}/cgroup.events`, 'utf8'), /^frozen 0$/m)
    } finally {
      await executor.perform([{ name: 'write_file', args: ['', freezer.path, freezer.thawed, 2, 0] }])
      await frozen.close()
      await executor.perform([{ name: 'unlink', args: ['', context.lockFile] }])
      await executor.perform([{ name: 'remove_cgroup', args: [directory] }])
      await close()
    }
  })
})
