// Killed with SIGKILL: minictr, its monitor, the container's first process, at any moment. The next command finds it out.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Running } from '../fixtures/command-line.ts'
import { family, killIfThere } from '../fixtures/victims.ts'
import { assertNothingLeft, idsIn, useDebian } from './debian.ts'
import { detached, eventsOf, stateOf } from './detached.ts'

const debian = useDebian()

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let attempt = 0; !isSo(); attempt++) {
    if (attempt === 1000) assert.fail(`${what} does not become so`)
    await sleep(10)
  }
}

/** The journal's owner and the container's process, as recorded for the only container of the store that runs. */
function processes(): { monitor: number; container: number; id: string } {
  const { runRoot } = debian.store()
  const [id] = idsIn(runRoot)
  const [owner] = readFileSync(join(runRoot, id!, 'journal'), 'utf8').split('\n')
  const state = JSON.parse(readFileSync(join(runRoot, id!, 'state.json'), 'utf8'))
  return { monitor: JSON.parse(owner!).owner.pid, container: state.pid, id: id! }
}

/** A container that has said that it runs. */
async function running(...flags: string[]): Promise<Running> {
  const started = debian.start(flags, ['sh', '-c', 'echo ready; sleep 1000; true'])
  await until('the container runs', () => started.output() === 'ready\n')
  return started
}

function isThere(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

function cgroupsOf(id: string): string[] {
  return readdirSync('/sys/fs/cgroup')
    .map(name => `/sys/fs/cgroup/${name}/minictr/${id}`)
    .filter(path => existsSync(path))
}

describe('SIGKILL', () => {
  it('to minictr leaves the container running; its end cleans up by itself', async () => {
    const started = await running()
    const { container, monitor, id } = processes()
    started.child.kill('SIGKILL')
    await started.outcome
    assert.ok(isThere(container) && isThere(monitor))
    assert.match((await debian.minictr('ps')).stdout, new RegExp(`^${id.slice(0, 12)} .* Up `, 'm'))
    process.kill(container, 'SIGKILL')
    await until('everything is cleaned up', () => idsIn(debian.store().runRoot).length === 0)
    assert.deepEqual(cgroupsOf(id), [])
    await assertNothingLeft(debian.store())
  })

  it('to the container’s first process is its end: 137, and nothing is left', async () => {
    const started = await running()
    process.kill(processes().container, 'SIGKILL')
    assert.equal((await started.outcome).status, 137)
    await assertNothingLeft(debian.store())
  })

  it('to the monitor: minictr says so, and the next command undoes what is left', async () => {
    const started = await running()
    const { container, monitor, id } = processes()
    process.kill(monitor, 'SIGKILL')
    const { status, stderr } = await started.outcome
    assert.equal(status, 125)
    assert.match(stderr, /^minictr: the monitor ended before its container\n.*system recover/)
    assert.equal((await debian.minictr('system', 'recover')).status, 0)
    assert.ok(!isThere(container))
    assert.deepEqual(cgroupsOf(id), [])
    await assertNothingLeft(debian.store())
  })

  it('to the monitor and the program while somebody stops it: he does not wait for a record that nobody writes', async () => {
    const id = await detached(debian, 'box')
    const { monitor, container } = processes()
    // The time that it may take is that of a test of which something is wrong.
    const stopping = debian.minictr('stop', '-t', '600', 'box')
    await until('it is told to end', () => eventsOf(debian, id).includes('kill signal=15'))
    process.kill(monitor, 'SIGKILL')
    process.kill(container, 'SIGKILL')
    assert.deepEqual(await stopping, { status: 0, stdout: 'box\n', stderr: '' })
    assert.deepEqual(idsIn(debian.store().runRoot), [])
    assert.equal(await stateOf(debian, 'box'), 'Exited (unknown)')
    assert.equal((await debian.minictr('rm', 'box')).status, 0)
    await assertNothingLeft(debian.store())
  })

  it('to minictr and the monitor at once: the next command undoes what is left', async () => {
    const started = await running()
    const { container, monitor, id } = processes()
    started.child.kill('SIGKILL')
    process.kill(monitor, 'SIGKILL')
    await started.outcome
    assert.equal((await debian.minictr('ps', '-a')).status, 0)
    assert.ok(!isThere(container))
    assert.deepEqual(cgroupsOf(id), [])
    await assertNothingLeft(debian.store())
  })

  it('to minictr at any moment of a start leaves nothing that the next command does not undo', async () => {
    for (let delayMs = 10; delayMs <= 150; delayMs += 10) {
      const started = debian.start([], ['sh', '-c', 'sleep 0.1'])
      await sleep(delayMs)
      started.child.kill('SIGKILL')
      await started.outcome
      await until('the container ends', () => idsIn(debian.store().runRoot).length === 0)
      await assertNothingLeft(debian.store())
    }
  })

  it('to all of them at any moment of a start leaves nothing that the next command does not undo', async () => {
    for (let delayMs = 10; delayMs <= 130; delayMs += 10) {
      const started = debian.start(['--name', 'always-killed'], ['sleep', '1000'])
      await sleep(delayMs)
      // minictr first, so that nothing it could do comes between.
      for (const pid of family(started.child.pid!)) killIfThere(pid)
      await started.outcome
      const { status, stderr } = await debian.minictr('system', 'recover')
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
      await assertNothingLeft(debian.store())
    }
  })

  it('without --rm keeps the container, stopped, and its files', async () => {
    const started = debian.startKept(
      ['--name', 'kept'],
      ['sh', '-c', 'echo text > /file; echo ready; sleep 1000; true'],
    )
    await until('the container runs', () => started.output() === 'ready\n')
    const { monitor, id } = processes()
    started.child.kill('SIGKILL')
    process.kill(monitor, 'SIGKILL')
    await started.outcome
    assert.match((await debian.minictr('ps', '-a')).stdout, /Exited \(unknown\).* kept\n/)
    assert.equal(readFileSync(join(debian.store().root, 'containers', id, 'upper/file'), 'utf8'), 'text\n')
    assert.equal((await debian.minictr('rm', 'kept')).status, 0)
    await assertNothingLeft(debian.store())
  })
})
