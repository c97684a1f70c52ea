// Commands that act on containers: kill, wait, rm and several names at once, with Docker's words, statuses and events.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Journal } from '../../src/runtime/journal.ts'
import { identify } from '../../src/system/process-identity.ts'
import { startMinictr } from '../fixtures/command-line.ts'
import { namesIn, useDebian } from './debian.ts'
import {
  deaf,
  detached,
  eventsOf,
  hasAttached,
  obedient,
  patient,
  pidOf,
  saysReady,
  stateOf,
} from './detached.ts'

const debian = useDebian()

afterEach(async () => {
  const { stdout } = await debian.minictr('ps', '-aq')
  if (stdout !== '') await debian.minictr('rm', '-f', '-v', ...stdout.trim().split('\n'))
})

/** Not awaited: the process is what matters. */
const start = (...args: string[]) => startMinictr([...debian.store().globals, ...args])

describe('kill', () => {
  it('ends a container at once, with the events of Docker', async () => {
    const id = await detached(debian, 'box')
    assert.deepEqual(await debian.minictr('kill', 'box'), { status: 0, stdout: 'box\n', stderr: '' })
    assert.equal(await stateOf(debian, 'box'), 'Exited (137)')
    assert.deepEqual(eventsOf(debian, id), ['create', 'start', 'kill signal=9', 'die exitCode=137'])
    assert.equal(existsSync(join(debian.store().runRoot, id)), false, 'its run is undone')
  })

  it('sends any other signal by name or number, and leaves the rest to the program', async () => {
    const traps = 'trap "echo hung up" HUP; trap "echo user one" USR1; trap "exit 5" RTMIN+3'
    const id = await detached(
      debian,
      'box',
      `exec bash -c '${traps}; echo ready; while :; do sleep 0.05; done'`,
    )
    for (const signal of ['HUP', 'sigusr1', '37']) {
      assert.equal((await debian.minictr('kill', '-s', signal, 'box')).status, 0)
      await sleep(200)
    }
    assert.equal((await debian.minictr('wait', 'box')).stdout, '5\n')
    assert.equal((await debian.minictr('logs', 'box')).stdout, 'ready\nhung up\nuser one\n')
    assert.deepEqual(
      eventsOf(debian, id).filter(event => event.startsWith('kill')),
      ['kill signal=1', 'kill signal=10', 'kill signal=37'],
    )
  })

  it('is an error for one that does not run, in the words of Docker', async () => {
    const id = await detached(debian, 'box')
    await debian.minictr('kill', 'box')
    for (const args of [['box'], ['-s', 'HUP', 'box']]) {
      const { status, stdout, stderr } = await debian.minictr('kill', ...args)
      assert.deepEqual({ status, stdout }, { status: 1, stdout: '' })
      assert.ok(
        stderr.startsWith(`minictr: cannot kill container: box: container ${id} is not running\n`),
        stderr,
      )
    }
    assert.match((await debian.minictr('kill', 'nosuch')).stderr, /^minictr: No such container: nosuch\n/)
    assert.match((await debian.minictr('kill', '-s', 'FOO', 'box')).stderr, /^minictr: Invalid signal: FOO\n/)
  })

  const isStopped = (id: string) =>
    JSON.parse(readFileSync(join(debian.store().root, 'containers', id, 'lifecycle.json'), 'utf8'))
      .isStoppedByUser

  it('counts as a stop by the user where it is SIGKILL, or the signal that was named to stop this container', async () => {
    const id = await detached(debian, 'box', deaf, '--stop-signal', 'USR2')
    await debian.minictr('kill', '-s', 'HUP', 'box')
    assert.equal(isStopped(id), false)
    await debian.minictr('kill', '-s', 'USR2', 'box')
    assert.equal(isStopped(id), true)
    await debian.minictr('restart', '-t', '0', 'box')
    assert.equal(isStopped(id), false)
    await debian.minictr('kill', 'box')
    assert.equal(isStopped(id), true)
  })

  it('counts as one whichever signal it is where none was named, or the policy is unless-stopped', async () => {
    for (const flags of [[], ['--stop-signal', 'USR2', '--restart', 'unless-stopped']]) {
      const id = await detached(debian, 'box', deaf, ...flags)
      await debian.minictr('kill', '-s', 'HUP', 'box')
      assert.equal(isStopped(id), true, flags.join(' '))
      await debian.minictr('restart', '-t', '0', 'box')
      assert.equal(isStopped(id), false)
      await debian.minictr('rm', '-f', 'box')
    }
  })

  it('keeps the policy from starting what ends by it, but not where another signal stops the container', async () => {
    const script = 'trap "exit 5" HUP; echo ready; while :; do sleep 0.05; done'
    await detached(debian, 'box', script, '--restart', 'always')
    await debian.minictr('kill', '-s', 'HUP', 'box')
    assert.equal((await debian.minictr('wait', 'box')).stdout, '5\n')
    assert.equal(await stateOf(debian, 'box'), 'Exited (5)')
    await debian.minictr('rm', '-f', 'box')
    await detached(debian, 'box', script, '--restart', 'always', '--stop-signal', 'USR1')
    await debian.minictr('kill', '-s', 'HUP', 'box')
    await saysReady(debian, 'box', 2)
  })

  it('hits no other process that has the number by now', async () => {
    const id = await detached(debian, 'box')
    const file = join(debian.store().runRoot, id, 'state.json')
    const bystander = spawn('sleep', ['1000'])
    const ended = once(bystander, 'exit')
    // Its number was that of the container's program, which began at another time.
    writeFileSync(file, JSON.stringify({ pid: bystander.pid, startTimeTicks: '1', startedAtMs: 0 }))
    for (const signal of ['TERM', 'KILL']) await debian.minictr('kill', '-s', signal, 'box')
    assert.equal(bystander.exitCode ?? bystander.signalCode, null, 'it runs on')
    assert.ok(existsSync(`/proc/${bystander.pid}`))
    bystander.kill('SIGUSR1')
    assert.deepEqual(await ended, [null, 'SIGUSR1'])
  })
})

describe('wait', () => {
  it('blocks until each has ended, and prints their statuses in the order of the names', async () => {
    await detached(debian, 'one', 'echo ready; sleep 0.6; exit 4')
    await detached(debian, 'two', 'echo ready; sleep 0.2; exit 9')
    const waiting = start('wait', 'one', 'two')
    assert.deepEqual(await waiting.outcome, { status: 0, stdout: '4\n9\n', stderr: '' })
  })

  it('prints at once what has ended, 0 for what never ran, and tells of what is not there', async () => {
    await detached(debian, 'ended', 'echo ready; exit 6')
    await debian.minictr('wait', 'ended')
    await debian.minictr('create', '--name', 'new', '--network', 'none', debian.store().image, 'true')
    const { status, stdout, stderr } = await debian.minictr('wait', 'ended', 'nosuch', 'new')
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '6\n0\n' })
    assert.match(stderr, /^minictr: No such container: nosuch\n/)
  })

  it('learns the status of one that ends just while it looks for it', async () => {
    const id = await detached(debian, 'box', `${patient}exit 7`)
    const { root, globals } = debian.store()
    // It has seen that there is no record yet, and goes on when the container has ended.
    const trace = join(debian.directory(), 'trace')
    const record = join(root, 'containers', id, 'exit.json')
    const late = ['-f', '-o', trace, '-P', record, '-e', 'trace=file', '-e', 'inject=file:delay_exit=2000000']
    const waiting = startMinictr([...globals, 'wait', 'box'], { within: ['strace', ...late] })
    const hasLooked = () => existsSync(trace) && readFileSync(trace, 'utf8').includes(record)
    for (let tries = 0; tries < 500 && !hasLooked(); tries++) await sleep(20)
    await debian.minictr('kill', '-s', 'USR1', 'box')
    assert.deepEqual(await waiting.outcome, { status: 0, stdout: '7\n', stderr: '' })
  })

  it('learns the status of one that goes with its end', async () => {
    const id = await detached(debian, 'box', `${patient} exit 8`, '--rm')
    const waiting = start('wait', 'box')
    await hasAttached(debian, id, 1)
    await debian.minictr('kill', '-s', 'USR1', 'box')
    assert.equal((await waiting.outcome).stdout, '8\n')
    for (let tries = 0; tries < 500 && (await stateOf(debian, 'box')) !== 'none'; tries++) await sleep(20)
    assert.equal(await stateOf(debian, 'box'), 'none')
  })

  it('says that nobody saw the end where the monitor was killed', async () => {
    const id = await detached(debian, 'box')
    const pid = pidOf(debian, id)
    const waiting = start('wait', 'box')
    const { runRoot } = debian.store()
    await hasAttached(debian, id, 1)
    process.kill(new Journal(join(runRoot, id)).owner()!.pid, 'SIGKILL')
    const { status, stdout, stderr } = await waiting.outcome
    assert.deepEqual({ status, stdout }, { status: 1, stdout: 'unknown\n' })
    assert.match(stderr, /^minictr: nobody saw how container box ended: its monitor was killed\n/)
    assert.equal(identify(pid), undefined, 'nobody takes its output any more')
    assert.equal(await stateOf(debian, 'box'), 'Exited (unknown)')
    assert.equal((await debian.minictr('wait', 'box')).stdout, 'unknown\n')
  })

  it('says that the container is gone where it went with an end that nobody was told of', async () => {
    const id = await detached(debian, 'box', deaf, '--rm')
    const waiting = start('wait', 'box')
    const { runRoot } = debian.store()
    await hasAttached(debian, id, 1)
    process.kill(new Journal(join(runRoot, id)).owner()!.pid, 'SIGKILL')
    const { status, stdout, stderr } = await waiting.outcome
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' })
    assert.match(stderr, /^minictr: No such container: box\n/)
  })
})

describe('rm', () => {
  it('-f kills, tells what Docker tells, and leaves nothing', async () => {
    const id = await detached(debian, 'box', obedient)
    assert.deepEqual(await debian.minictr('rm', '-f', 'box'), { status: 0, stdout: 'box\n', stderr: '' })
    assert.deepEqual(eventsOf(debian, id), [
      'create',
      'start',
      'kill signal=9',
      'die exitCode=137',
      'destroy',
    ])
    const { root, runRoot } = debian.store()
    assert.deepEqual(namesIn(join(root, 'containers')), [])
    assert.deepEqual(namesIn(join(root, 'names')), [])
    assert.equal(existsSync(join(runRoot, id)), false)
  })

  it('is refused for one that runs, and for one that is paused', async () => {
    await detached(debian, 'box')
    const running = await debian.minictr('rm', 'box')
    assert.equal(running.status, 1)
    assert.match(
      running.stderr,
      /^minictr: cannot remove container "\/box": container is running: stop the container before removing or force remove\n/,
    )
    await debian.minictr('pause', 'box')
    assert.match(
      (await debian.minictr('rm', 'box')).stderr,
      /^minictr: cannot remove container "\/box": container is paused and must be unpaused first\n/,
    )
  })

  it('of what is not there is an error, and none with -f', async () => {
    const without = await debian.minictr('rm', 'nosuch')
    assert.equal(without.status, 1)
    const { status, stdout, stderr } = await debian.minictr('rm', '-f', 'nosuch')
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: without.stderr })
    assert.match(stderr, /^minictr: No such container: nosuch\n/)
  })

  it('-l is refused with a reason', async () => {
    const { status, stderr } = await debian.minictr('rm', '-l', 'box')
    assert.equal(status, 1)
    assert.match(stderr, /^minictr: --link: a link is no object of its own here/)
  })

  it('-v takes the volumes nobody named, and no others', async () => {
    const volumes = ['-v', '/unnamed', '-v', 'named:/named']
    await detached(debian, 'box', 'echo ready; exit 0', ...volumes)
    await detached(debian, 'other', 'echo ready; exit 0', '-v', '/kept')
    const names = () => namesIn(join(debian.store().root, 'volumes')).filter(name => !name.startsWith('.'))
    assert.equal(names().length, 3)
    await debian.minictr('wait', 'box', 'other')
    assert.equal((await debian.minictr('rm', '-v', 'box')).status, 0)
    assert.equal((await debian.minictr('rm', 'other')).status, 0)
    assert.equal(names().length, 2, 'one of them named, the other kept without -v')
    await debian.minictr('volume', 'rm', ...names())
  })
})

describe('several names', () => {
  it('are stopped at the same time, and told in their order', async () => {
    const names = ['one', 'two', 'three', 'four']
    await Promise.all(names.map(name => detached(debian, name)))
    const { status, stdout } = await debian.minictr('stop', '-t', '2', ...names)
    assert.deepEqual({ status, stdout }, { status: 0, stdout: `${names.join('\n')}\n` })
    const told = readFileSync(join(debian.store().runRoot, 'events.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .slice(-16)
    const asked = told.findLastIndex(line => line.includes('"signal":"15"'))
    const ended = told.findIndex(line => line.includes('"Action":"die"'))
    assert.ok(asked < ended, 'all have been asked before the first one has ended')
    for (const name of names) assert.equal(await stateOf(debian, name), 'Exited (137)')
  })

  it('of which one is wrong do not keep the others', async () => {
    await Promise.all(['one', 'two'].map(name => detached(debian, name)))
    for (const command of ['pause', 'unpause', 'kill', 'rm']) {
      const { status, stdout, stderr } = await debian.minictr(command, 'one', 'nosuch', 'two')
      assert.deepEqual({ status, stdout }, { status: 1, stdout: 'one\ntwo\n' }, command)
      assert.match(stderr, /^minictr: No such container: nosuch\n/)
    }
  })

  it('may be one that several commands act on at once: each does its part, or says why not', async () => {
    const id = await detached(debian, 'box', obedient)
    const commands = [
      ['stop', 'box'],
      ['kill', 'box'],
      ['stop', '-t', '1', 'box'],
      ['rm', '-f', 'box'],
      ['restart', 'box'],
    ]
    const outcomes = await Promise.all(commands.map(args => debian.minictr(...args)))
    for (const [at, { stderr }] of outcomes.entries()) {
      const said =
        /^$|No such container|is not running|is busy|removed just now|is running: stop|runs already/
      assert.match(stderr, said, commands[at]!.join(' '))
    }
    assert.equal(eventsOf(debian, id).filter(event => event === 'create').length, 1)
    await debian.minictr('rm', '-f', 'box')
    assert.equal(await stateOf(debian, 'box'), 'none')
  })
})
