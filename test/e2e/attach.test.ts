// Being connected with a container that somebody else started: attach, start -a and -i, and what run connects.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { executable, minictr, startMinictr } from '../fixtures/command-line.ts'
import { atTerminal, type Session } from '../fixtures/terminal.ts'
import { useDebian } from './debian.ts'
import { detached, eventsOf, hasAttached, patient, saysReady, stateOf } from './detached.ts'

const debian = useDebian()

afterEach(async () => {
  const { stdout } = await debian.minictr('ps', '-aq')
  if (stdout !== '') await debian.minictr('rm', '-f', ...stdout.trim().split('\n'))
})

/** minictr at a terminal of its own, whose status is told at the end. */
function person(...args: string[]): Session {
  return atTerminal([executable, ...debian.store().globals, ...args])
}

const leave = '\x10\x11'
/** bash(1) prints its prompt anew when the size of the terminal changes, as it does when somebody attaches. */
const shell = 'echo ready; PS1="inside> " exec bash --norc -i'
/** Repeats lines until it reads `end`. */
const echoing = 'echo ready; while read line; do echo "got $line"; [ "$line" = end ] && exit 7; done; exit 9'

describe('attach', () => {
  it('shows what the program says from then on, and ends with its status', async () => {
    const id = await detached(debian, 'box', `${patient} echo out; echo err >&2; exit 5`)
    const { outcome } = startMinictr([...debian.store().globals, 'attach', 'box'])
    await hasAttached(debian, id, 1)
    await debian.minictr('kill', '-s', 'USR1', 'box')
    assert.deepEqual(await outcome, { status: 5, stdout: 'out\n', stderr: 'err\n' })
  })

  it('ends where its output cannot be written, as do all commands, and the container goes on', async () => {
    await detached(debian, 'box', 'echo ready; while :; do echo again; sleep 0.1; done')
    const { globals } = debian.store()
    for (const args of [
      ['attach', 'box'],
      ['attach', '--no-stdin', 'box'],
      ['logs', 'box'],
      ['cp', 'box:/etc', '-'],
      ...[
        ['ps'],
        ['inspect', 'box'],
        ['top', 'box'],
        ['version'],
        ['volume', 'ls', '--help'],
        ['completion', 'bash'],
      ],
    ]) {
      const command = [executable, ...globals, ...args]
      const { status, stderr } = spawnSync('sh', ['-c', '"$@" >/dev/full', 'sh', ...command], {
        encoding: 'utf8',
        input: '',
        killSignal: 'SIGKILL',
        timeout: 60_000,
      })
      assert.equal(status, 1, `${args}`)
      assert.match(
        stderr,
        /^minictr: write \/dev\/stdout: no space left on device\n.* output is incomplete\.\n$/,
      )
    }
    assert.equal(await stateOf(debian, 'box'), 'Up')
  })

  it('ends where nobody reads its output any more', async () => {
    await detached(debian, 'box', 'echo ready; while :; do echo again; sleep 0.1; done')
    const script = 'set -o pipefail; "$@" | read line; echo $?'
    const command = [executable, ...debian.store().globals, 'attach', '--no-stdin', 'box']
    const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...command], {
      encoding: 'utf8',
      killSignal: 'SIGKILL',
      timeout: 60_000,
    })
    assert.deepEqual({ stdout, stderr }, { stdout: '141\n', stderr: '' })
    assert.equal(await stateOf(debian, 'box'), 'Up')
  })

  it('takes what comes by a pipe as it is, the keys that detach at a terminal as well', async () => {
    await detached(debian, 'box', 'echo ready; head -n 1 | od -An -c', '-i')
    const input = `a${leave}b\n`
    const outcome = await minictr([...debian.store().globals, 'attach', 'box'], { input })
    assert.deepEqual(outcome, { status: 0, stdout: '   a 020 021   b  \\n\n', stderr: '' })
  })

  it('gives the program its input, whose end is only this one’s', async () => {
    await detached(debian, 'box', echoing, '-i')
    const { globals } = debian.store()
    const first = await minictr([...globals, 'attach', '--sig-proxy=false', 'box'], {
      input: 'one\nend\n',
    })
    assert.deepEqual(first, { status: 7, stdout: 'got one\ngot end\n', stderr: '' })
    await debian.minictr('start', 'box')
    await saysReady(debian, 'box', 2)
    const other = startMinictr([...globals, 'attach', 'box'], { input: 'two\n' })
    for (let tries = 0; tries < 500 && !other.output().includes('got two'); tries++) await sleep(20)
    assert.equal(await stateOf(debian, 'box'), 'Up', 'the end of one who attached ends nothing')
    await debian.minictr('kill', 'box')
    assert.equal((await other.outcome).status, 137)
  })

  it('--no-stdin gives it none', async () => {
    const id = await detached(debian, 'box', 'echo ready; read line; echo "got $line"', '-i')
    const { globals } = debian.store()
    const listening = startMinictr([...globals, 'attach', '--no-stdin', 'box'], { input: 'unheard\n' })
    await hasAttached(debian, id, 1)
    await sleep(100)
    await minictr([...globals, 'attach', 'box'], { input: 'heard\n' })
    assert.equal((await listening.outcome).stdout, 'got heard\n')
  })

  it('passes signals on, unless it is told not to', async () => {
    const script = 'trap "echo asked; exit 4" TERM; echo ready; while :; do sleep 0.05; done'
    const id = await detached(debian, 'box', script)
    const { globals } = debian.store()
    const deaf = startMinictr([...globals, 'attach', '--sig-proxy=false', 'box'])
    const proxy = startMinictr([...globals, 'attach', 'box'])
    await hasAttached(debian, id, 2)
    deaf.child.kill('SIGTERM')
    assert.equal((await deaf.outcome).status, null, 'it ended by the signal itself')
    assert.equal(await stateOf(debian, 'box'), 'Up')
    proxy.child.kill('SIGTERM')
    assert.deepEqual(await proxy.outcome, { status: 4, stdout: 'asked\n', stderr: '' })
  })

  it('says in Docker’s words what cannot be attached to', async () => {
    await debian.minictr('create', '--name', 'new', '--network', 'none', debian.store().image, 'true')
    const stopped = await debian.minictr('attach', 'new')
    assert.equal(stopped.status, 1)
    assert.match(stopped.stderr, /^minictr: You cannot attach to a stopped container, start it first\n/)
    await detached(debian, 'box', shell, '-it')
    const piped = await debian.minictr('attach', 'box')
    assert.equal(piped.status, 1)
    assert.match(piped.stderr, /^minictr: the input device is not a TTY\n/)
    assert.match(
      (await debian.minictr('attach', '--detach-keys', 'foo', 'box')).stderr,
      /Invalid escape keys|not a TTY/,
    )
  })
})

describe('start -ai', () => {
  it('gives a container with a terminal its input from a pipe as well', async () => {
    const { globals, image } = debian.store()
    const script = 'read line; echo "got $line"; exit 6'
    await debian.minictr('create', '-it', '--name', 'box', image, 'sh', '-c', script)
    const started = startMinictr([...globals, 'start', '-ai', 'box'], { input: 'typed\n' })
    const { status, stdout } = await started.outcome
    assert.equal(status, 6)
    assert.match(stdout, /got typed\r\n$/)
  })
})

describe('attach at a terminal', () => {
  it('lets one in, out by the keys, and in again', async () => {
    const id = await detached(debian, 'box', shell, '-it')
    const first = person('attach', 'box')
    await first.see('inside> ')
    first.type('greeting=hello')
    await first.see('inside> ')
    first.press(leave)
    await first.see('read escape sequence')
    assert.equal((await first.end()).status, 1, 'as Docker’s')
    assert.equal(await stateOf(debian, 'box'), 'Up')
    const second = person('attach', 'box')
    await second.see('inside> ')
    second.type('echo "$greeting again"; stty size; exit 6')
    await second.see('hello again')
    await second.see(/\d+ 100/)
    assert.equal((await second.end()).status, 6)
    const events = ['attach', 'detach', 'attach', 'die exitCode=6']
    for (let tries = 0; tries < 500 && eventsOf(debian, id).at(-1) !== events.at(-1); tries++) await sleep(20)
    assert.deepEqual(eventsOf(debian, id).slice(2), events)
  })

  it('leaves by the keys that were given, and gives all others to the program', async () => {
    await detached(debian, 'box', shell, '-it')
    const session = person('attach', '--detach-keys', 'ctrl-x,q', 'box')
    await session.see('inside> ')
    session.type('stty -ixon; echo rea""dy; cat -v')
    await session.see('ready\n')
    await sleep(500)
    session.press(`a${leave}b\r`)
    await session.see('a^P^Qb\n')
    session.press('\x03')
    await session.see('inside> ')
    session.press('\x18q')
    await session.see('read escape sequence')
    assert.equal((await session.end()).status, 1)
  })

  it('shows the same to all who are attached, and takes what each of them types', async () => {
    await detached(debian, 'box', shell, '-it')
    const sessions = [person('attach', 'box'), person('attach', 'box'), person('attach', 'box')]
    for (const session of sessions) await session.see('inside> ')
    sessions[0]!.type('echo from the $(echo first)')
    for (const session of sessions) await session.see('from the first\n')
    sessions[1]!.press(leave)
    await sessions[1]!.see('read escape sequence')
    await sessions[1]!.end()
    sessions[2]!.type('echo from the $(echo third); exit 3')
    for (const session of [sessions[0]!, sessions[2]!]) {
      await session.see('from the third\n')
      assert.equal((await session.end()).status, 3)
    }
  })

  it('goes on where the one who ran the container has left', async () => {
    const { image } = debian.store()
    const first = person('run', '-it', '--network', 'none', '--name', 'box', image, 'sh', '-c', shell)
    await first.see('inside> ')
    first.type('place=here')
    await first.see('inside> ')
    first.press(leave)
    assert.equal((await first.end()).status, 0, 'as Docker’s run')
    const second = person('attach', 'box')
    await second.see('inside> ')
    second.type('echo $place; exit')
    await second.see('here\n')
    assert.equal((await second.end()).status, 0)
    assert.equal(await stateOf(debian, 'box'), 'Exited (0)')
  })
})

describe('start in front of us', () => {
  const create = (name: string, flags: string[], ...command: string[]) =>
    debian.minictr('create', '--name', name, '--network', 'none', ...flags, debian.store().image, ...command)

  it('-a shows the output and ends with the status of the program, each time', async () => {
    await create('box', [], 'sh', '-c', 'echo out; echo err >&2; exit 7')
    for (const _ of [1, 2]) {
      const outcome = await debian.minictr('start', '-a', 'box')
      assert.deepEqual(outcome, { status: 7, stdout: 'out\n', stderr: 'err\n' })
    }
  })

  it('-i gives it the input, where it was made to have one', async () => {
    const { globals } = debian.store()
    await create('with', ['-i'], 'cat')
    await create('without', [], 'cat')
    const start = (name: string) => minictr([...globals, 'start', '-ai', name], { input: 'typed\n' })
    assert.deepEqual(await start('with'), { status: 0, stdout: 'typed\n', stderr: '' })
    assert.deepEqual(await start('without'), { status: 0, stdout: '', stderr: '' })
  })

  it('passes signals on', async () => {
    await create('box', [], 'sh', '-c', 'trap "exit 4" TERM; echo ready; while :; do sleep 0.05; done')
    const started = startMinictr([...debian.store().globals, 'start', '-a', 'box'])
    for (let tries = 0; tries < 500 && started.output() !== 'ready\n'; tries++) await sleep(20)
    started.child.kill('SIGTERM')
    assert.equal((await started.outcome).status, 4)
  })

  it('-ai at a terminal is left by the keys with 0, and connects again with one that runs', async () => {
    await create('box', ['-it'], 'sh', '-c', shell)
    const first = person('start', '-ai', 'box')
    await first.see('inside> ')
    first.press(leave)
    assert.equal((await first.end()).status, 0)
    const second = person('start', '-ai', '--detach-keys', 'ctrl-x', 'box')
    await second.see('inside> ')
    second.press('\x18')
    assert.equal((await second.end()).status, 0)
    const third = person('start', '-ai', 'box')
    await third.see('inside> ')
    third.type('exit 5')
    assert.equal((await third.end()).status, 5)
  })

  it('is one container’s, and fails with 1 where the program cannot be started', async () => {
    const two = await debian.minictr('start', '-a', 'one', 'two')
    assert.equal(two.status, 1)
    assert.match(two.stderr, /^minictr: you cannot start and attach multiple containers at once\n/)
    await create('box', [], 'nosuch')
    for (const flags of [['-a'], []]) {
      const { status, stderr } = await debian.minictr('start', ...flags, 'box')
      assert.equal(status, 1)
      assert.match(stderr, /^minictr: .*"?nosuch"?.*executable file not found/)
      assert.equal(/\nminictr: failed to start containers: box\n$/.test(stderr), flags.length === 0)
    }
  })

  it('of many in the background tells those that it could not start', async () => {
    await create('good', [], 'sleep', '1000')
    const { status, stdout, stderr } = await debian.minictr('start', 'nosuch1', 'good', 'nosuch2')
    assert.deepEqual({ status, stdout }, { status: 1, stdout: 'good\n' })
    assert.match(stderr, /No such container: nosuch1[\s\S]*No such container: nosuch2/)
    assert.match(stderr, /\nminictr: failed to start containers: nosuch1, nosuch2\n$/)
    assert.deepEqual(await debian.minictr('start', 'good'), { status: 0, stdout: 'good\n', stderr: '' })
  })
})

describe('run connects', () => {
  const script = 'cat; echo out; echo err >&2; exit 3'

  it('the streams that -a names, with the input where there is one', async () => {
    const run = (...flags: string[]) =>
      debian.run(['-i', '--network', 'none', ...flags], ['sh', '-c', script], { input: 'typed\n' })
    const both = { status: 3, stdout: 'typed\nout\n', stderr: 'err\n' }
    assert.deepEqual(await run(), both)
    assert.deepEqual(await run('-a', 'stdout'), { ...both, stderr: '' })
    assert.deepEqual(await run('-a', 'STDERR'), { ...both, stdout: '' })
    assert.deepEqual(await run('-a', 'stdin'), { ...both, stdout: '', stderr: '' })
    assert.deepEqual(await run('-a', 'stdout', '-a', 'stderr'), both)
  })

  it('nothing with -d, which prints the id; with --rm it goes at its end', async () => {
    const id = await detached(debian, 'box', `${patient} exit 4`, '--rm')
    assert.match(id, /^[0-9a-f]{64}$/)
    const waiting = startMinictr([...debian.store().globals, 'wait', 'box'])
    await hasAttached(debian, id, 1)
    await debian.minictr('kill', '-s', 'USR1', 'box')
    assert.equal((await waiting.outcome).stdout, '4\n')
    for (let tries = 0; tries < 500 && (await stateOf(debian, 'box')) !== 'none'; tries++) await sleep(20)
    assert.deepEqual(eventsOf(debian, id), ['create', 'start', 'kill signal=10', 'die exitCode=4', 'destroy'])
  })

  it('is refused with -a and -d, as by Docker', async () => {
    const { status, stderr } = await debian.minictr('run', '-d', '-a', 'stdout', debian.store().image, 'true')
    assert.equal(status, 1)
    assert.match(stderr, /^minictr: conflicting options: cannot specify both --attach and --detach\n/)
  })
})
