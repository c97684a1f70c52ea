// Restart policies: containers that come back by themselves, and those that must not.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readJson } from '../../src/containers/json-file.ts'
import { containerPaths, type RestartWait } from '../../src/containers/state.ts'
import { isRunning } from '../../src/system/process-identity.ts'
import { assertNothingLeft, idsIn, namesIn, useDebian } from './debian.ts'
import { containerOf, eventsOf, isThereNamed, restartCountOf, until } from './states.ts'

const debian = useDebian()
afterEach(() => debian.removeContainers())

/** Starts one in the background. */
async function runDetached(name: string, policy: string, ...command: string[]): Promise<void> {
  const { image } = debian.store()
  const flags = ['-d', '--quiet', '--name', name, '--network', 'none', '--restart', policy]
  const { status, stderr } = await debian.minictr('run', ...flags, image, ...command)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
}

/** Does it and expects that it works. */
async function succeed(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await debian.minictr(...args)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, args.join(' '))
  return stdout
}

const statusOf = (name: string) => containerOf(debian, name).status

/** Who waits for a container's restart. */
function waitOf(name: string): RestartWait | undefined {
  return readJson<RestartWait>(containerPaths(debian.store(), containerOf(debian, name).id).restartWait)
}

/** A crash loop that waits for its restart, so long that a test can do something meanwhile. */
async function waiting(name: string): Promise<RestartWait> {
  await runDetached(name, 'always', 'false')
  await until('its restart is waited for', () => (waitOf(name)?.delayMs ?? 0) >= 800)
  return waitOf(name)!
}

/** Files in the run root that name somebody who waits. */
const waitFiles = () => namesIn(debian.store().runRoot).filter(name => name.endsWith('.restarting.json'))

describe('always', () => {
  it('starts a container again, after longer and longer times, and counts', async () => {
    await runDetached('web', 'always', 'sh', '-c', 'echo once; exit 3')
    await until('it has been started three times more', () => restartCountOf(debian, 'web') >= 3)
    const { lifecycle } = containerOf(debian, 'web')
    assert.equal(lifecycle!.restartDelayMs, 100 * 2 ** (lifecycle!.restartCount - 1))
    await succeed('stop', 'web')
    assert.equal(statusOf('web'), 'exited')
    assert.deepEqual(waitFiles(), [])
    const events = await eventsOf(debian, 'web')
    assert.deepEqual(events.slice(0, 6), ['create', 'start', 'die 3', 'start', 'die 3', 'start'])
    assert.equal(events.at(-1), 'stop')
    const starts = events.filter(event => event === 'start').length
    assert.equal(starts, restartCountOf(debian, 'web') + 1)
    assert.equal((await succeed('logs', 'web')).split('once\n').length - 1, starts)

    await succeed('start', 'web')
    await until('it comes back', () => restartCountOf(debian, 'web') >= 1)
    assert.ok(restartCountOf(debian, 'web') < starts, 'whoever starts it begins anew')
    await succeed('rm', '-f', 'web')
    await assertNothingLeft(debian.store())
  })

  it('starts what ended well, and what was killed, as well', async () => {
    await runDetached('well', 'always', 'true')
    await until('it comes back', () => restartCountOf(debian, 'well') >= 1)
    await succeed('rm', '-f', 'well')
    await runDetached('killed', 'unless-stopped', 'sleep', '1000')
    process.kill(containerOf(debian, 'killed').run!.pid, 'SIGKILL')
    await until(
      'it comes back',
      () => restartCountOf(debian, 'killed') === 1 && statusOf('killed') === 'running',
    )
    await succeed('rm', '-f', 'killed')
    await assertNothingLeft(debian.store())
  })

  it('goes on behind a run in the foreground, which ends with the first end', async () => {
    const { image } = debian.store()
    const flags = ['--quiet', '--name', 'fore', '--restart', 'always']
    const { status, stdout } = await debian.minictr('run', ...flags, image, 'sh', '-c', 'echo out; exit 7')
    assert.deepEqual({ status, stdout }, { status: 7, stdout: 'out\n' })
    await until('it comes back', () => restartCountOf(debian, 'fore') >= 1)
    await succeed('rm', '-f', 'fore')
    await assertNothingLeft(debian.store())
  })
})

describe('on-failure', () => {
  it('tries so often and no more', async () => {
    await runDetached('thrice', 'on-failure:2', 'sh', '-c', 'exit 4')
    await until('it has given up', async () => {
      const events = await eventsOf(debian, 'thrice')
      return events.filter(event => event === 'die 4').length === 3
    })
    const { status, exit, lifecycle } = containerOf(debian, 'thrice')
    assert.deepEqual([status, exit?.exitStatus, lifecycle?.restartCount], ['exited', 4, 2])
    assert.deepEqual(waitFiles(), [])
    await succeed('ps')
    assert.equal(statusOf('thrice'), 'exited', 'no later command starts it either')
    await succeed('rm', 'thrice')
  })

  it('leaves what ended well', async () => {
    await runDetached('fine', 'on-failure', 'true')
    await until('it has ended', async () => (await eventsOf(debian, 'fine')).includes('die 0'))
    assert.equal(statusOf('fine'), 'exited')
    assert.deepEqual(waitFiles(), [])
    await succeed('rm', 'fine')
    await assertNothingLeft(debian.store())
  })
})

describe('while a restart is waited for', () => {
  it('no Node waits, and the container says so', async () => {
    const wait = await waiting('loop')
    const commandLine = readFileSync(`/proc/${wait.pid}/cmdline`, 'utf8').split('\0')
    assert.match(commandLine[0]!, /minictr-helper$/)
    assert.equal(commandLine[1], 'later')
    const { status, stderr } = await debian.minictr('exec', 'loop', 'true')
    // Between the ends of it there is a moment in which it runs.
    if (status !== 0)
      assert.match(stderr, /is restarting, wait until the container is running|is not running/)
    const refused = await debian.minictr('rm', 'loop')
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /cannot remove container "\/loop": container is (restarting|running)/)
    await succeed('rm', '-f', 'loop')
    assert.ok(!isRunning(wait))
    await assertNothingLeft(debian.store())
  })

  it('stop ends the waiting, and it stays so', async () => {
    const wait = await waiting('stopped')
    await succeed('stop', 'stopped')
    assert.ok(!isRunning(wait))
    const { lifecycle } = containerOf(debian, 'stopped')
    await sleep(2 * wait.delayMs)
    await succeed('ps')
    assert.deepEqual(containerOf(debian, 'stopped').lifecycle, lifecycle)
    assert.equal(statusOf('stopped'), 'exited')
    await succeed('rm', 'stopped')
    await assertNothingLeft(debian.store())
  })

  it('start starts it at once, and counts from the beginning', async () => {
    const wait = await waiting('impatient')
    await succeed('start', 'impatient')
    assert.ok(!isRunning(wait))
    assert.ok(restartCountOf(debian, 'impatient') <= 1)
    await succeed('rm', '-f', 'impatient')
    await assertNothingLeft(debian.store())
  })
})

describe('of a stop and a restart that meet', () => {
  it('the stop wins, at whatever moment', async () => {
    for (let delayMs = 0; delayMs < 700; delayMs += 90) {
      await runDetached('meeting', 'always', 'false')
      await sleep(delayMs)
      await succeed('stop', 'meeting')
      assert.equal(statusOf('meeting'), 'exited', `after ${delayMs} ms`)
      const { lifecycle } = containerOf(debian, 'meeting')
      // What was on its way to start it must come to nothing: its processes are waited for here.
      await until('nobody is at it', () => commandsAt(containerOf(debian, 'meeting').id).length === 0)
      assert.deepEqual(containerOf(debian, 'meeting').lifecycle, lifecycle)
      assert.equal(statusOf('meeting'), 'exited')
      await succeed('rm', 'meeting')
    }
    await assertNothingLeft(debian.store())
  })

  it('rm -f removes it, at whatever moment, and nothing comes back', async () => {
    for (let delayMs = 0; delayMs < 700; delayMs += 90) {
      await runDetached('gone', 'always', 'false')
      await sleep(delayMs)
      await succeed('rm', '-f', 'gone')
      assert.ok(!isThereNamed(debian, 'gone'))
    }
    await assertNothingLeft(debian.store())
  })

  it('a start by hand leaves one that runs, at whatever moment', async () => {
    const script = 'if [ -e /again ]; then sleep 1000; fi; exit 1'
    for (let delayMs = 0; delayMs < 500; delayMs += 120) {
      await runDetached('by-hand', 'always', 'sh', '-c', script)
      await sleep(delayMs)
      const { id } = containerOf(debian, 'by-hand')
      const upper = join(containerPaths(debian.store(), id).directory, 'upper')
      await until('it can be written to', () => existsSync(upper))
      await succeed('cp', '--quiet', '/dev/null', 'by-hand:/again')
      await succeed('start', 'by-hand')
      await until('it runs', () => statusOf('by-hand') === 'running')
      assert.equal(idsIn(debian.store().runRoot).length, 1)
      await succeed('rm', '-f', 'by-hand')
    }
    await assertNothingLeft(debian.store())
  })
})

/** The commands of minictr's own that have to do with a container. */
function commandsAt(id: string): string[] {
  return namesIn('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      } catch {
        return []
      }
    })
    .filter(commandLine => commandLine.includes(id))
}

describe('SIGKILL', () => {
  it('to the process that waits: the next command has it started', async () => {
    const wait = await waiting('orphaned')
    const count = restartCountOf(debian, 'orphaned')
    process.kill(wait.pid, 'SIGKILL')
    await until('it is gone', () => !isRunning(wait))
    assert.equal(statusOf('orphaned'), 'exited')
    await succeed('system', 'recover')
    await until('it comes back', () => restartCountOf(debian, 'orphaned') > count)
    await succeed('rm', '-f', 'orphaned')
    await assertNothingLeft(debian.store())
  })

  it('to the monitor: an end that nobody saw is a failure, which the next command finds', async () => {
    await runDetached('unseen', 'on-failure', 'sleep', '1000')
    const { id } = containerOf(debian, 'unseen')
    const [owner] = readFileSync(join(debian.store().runRoot, id, 'journal'), 'utf8').split('\n')
    process.kill(JSON.parse(owner!).owner.pid, 'SIGKILL')
    await succeed('ps', '-a')
    await until(
      'it runs again',
      () => restartCountOf(debian, 'unseen') === 1 && statusOf('unseen') === 'running',
    )
    assert.ok((await eventsOf(debian, 'unseen')).includes('die unknown'))
    await succeed('rm', '-f', 'unseen')
    await assertNothingLeft(debian.store())
  })

  it('to a restart that has begun: somebody takes it up', async () => {
    for (let delayMs = 0; delayMs < 300; delayMs += 60) {
      await runDetached('begun', 'always', 'false')
      await until('a restart is waited for', () => waitOf('begun') !== undefined)
      const wait = waitOf('begun')!
      await sleep(Math.max(0, wait.untilMs - Date.now()) + delayMs)
      if (isRunning(wait)) process.kill(wait.pid, 'SIGKILL')
      const count = restartCountOf(debian, 'begun')
      await until('it comes back', async () => {
        await succeed('system', 'recover')
        return restartCountOf(debian, 'begun') > count
      })
      await succeed('rm', '-f', 'begun')
    }
    await assertNothingLeft(debian.store())
  })
})

describe('a start by the policy that fails', () => {
  it('is the last one, as with Docker; somebody may start it again', async () => {
    // The second time there is no shell any more.
    await runDetached('broken', 'always', 'sh', '-c', 'rm /bin/sh; exit 5')
    await until('it has given up', () => containerOf(debian, 'broken').lifecycle?.restartError !== undefined)
    await until('its restart has ended', () => waitFiles().length === 0)
    const { status, exit, lifecycle } = containerOf(debian, 'broken')
    assert.deepEqual([status, exit?.exitStatus, lifecycle?.restartCount], ['exited', 5, 0])
    assert.match(lifecycle!.restartError!, /exec: "sh": executable file not found in \$PATH/)
    await succeed('system', 'recover')
    assert.equal(statusOf('broken'), 'exited')
    const started = await debian.minictr('start', 'broken')
    assert.equal(started.status, 1)
    assert.match(started.stderr, /executable file not found/)
    await succeed('rm', 'broken')
    await assertNothingLeft(debian.store())
  })
})

describe('--restart', () => {
  it('is refused together with --rm, and where it is none', async () => {
    const { image } = debian.store()
    const said = async (...flags: string[]) => await debian.minictr('run', ...flags, image, 'true')
    const both = await said('--rm', '--restart', 'always')
    assert.equal(both.status, 125)
    assert.match(both.stderr, /^minictr: conflicting options: cannot specify both --restart and --rm\n/)
    const created = await debian.minictr('create', '--rm', '--restart', 'always', image)
    assert.deepEqual(created, both, 'a wrong command line for create as well')
    assert.equal((await said('--rm', '--restart', 'no', '--quiet')).status, 0)
    const unknown = await debian.minictr('create', '--restart', 'sometimes', image)
    assert.equal(unknown.status, 125)
    assert.match(unknown.stderr, /^minictr: invalid restart policy: unknown policy 'sometimes'; use one of/)
    assert.deepEqual(namesIn(join(debian.store().root, 'containers')), [])
  })
})
