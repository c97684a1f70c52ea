// Attaching: several see one container's output, any of them types its input, and it outlives all of them.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { test } from 'node:test'
import { parseDetachKeys } from '../../src/cli/flags/detach-keys.ts'
import { waitForEnd } from '../../src/system/attach.ts'
import { helperPath } from '../../src/system/executor.ts'
import { attached, attacher, attacherPath, detached, echoes, type Place, place, shows } from './attachers.ts'
import { client, isThere, run, until } from './clients.ts'
import { inTerminal, modes } from './screen.ts'

test('two see the output and type the input; both end as the container does', async t => {
  const at = place(t)
  await detached(t, at, { script: echoes, stdin: 'open' })
  assert.equal(statSync(at.socket).mode & 0o7777, 0o600)
  const [one, two] = [attacher(t, at), attacher(t, at)]
  one.child.stdin!.write('from one\n')
  await shows(one, /got from one\n/)
  // That the second one is attached shows in its own line coming back.
  two.child.stdin!.write('from two\n')
  await shows(two, /got from two\n/)
  await shows(one, /got from two\n/)
  two.child.stdin!.write('end\n')
  assert.deepEqual([await one.ended, await two.ended], [7, 7])
  assert.equal(existsSync(at.socket), false)
})

test('the client that started it goes on seeing it while another is attached', async t => {
  const at = place(t)
  const child = client(t, { script: echoes, stdin: true, listen: at.socket })
  let said = ''
  child.stdout!.on('data', chunk => (said += chunk))
  child.stdin!.write('first\n')
  await until(() => said === 'got first\n', 'the first line is echoed')
  const other = attacher(t, at)
  other.child.stdin!.write('second\n')
  await shows(other, /^got second\n$/)
  await until(() => said === 'got first\ngot second\n', 'both lines are there')
  child.stdin!.write('end\n')
  const [status] = await once(child, 'exit')
  assert.deepEqual([status, await other.ended], [7, 7])
})

test('an input that stays open: the end of one who attached is not the container’s', async t => {
  const at = place(t)
  await detached(t, at, { script: echoes, stdin: 'open' })
  const one = attacher(t, at)
  one.child.stdin!.end('last words\n')
  await shows(one, /got last words\n/)
  const two = attacher(t, at)
  two.child.stdin!.write('end\n')
  assert.deepEqual([await one.ended, await two.ended], [7, 7])
  assert.equal(one.text, 'got last words\n')
})

test('an input given once ends with the first one who gives it', async t => {
  const at = place(t)
  await detached(t, at, { script: echoes, stdin: true, log: { path: at.file('log') } })
  // The client that went had no input to give; so the first who attaches is the first who gives.
  const one = attacher(t, at)
  one.child.stdin!.end('a\n')
  await shows(one, /got a\nclosed\n/)
})

test('one that is killed is dropped: the container goes on', async t => {
  const at = place(t)
  await detached(t, at, { script: echoes, stdin: 'open' })
  const one = attacher(t, at)
  one.child.stdin!.write('x\n')
  await shows(one, /got x/)
  one.child.kill('SIGKILL')
  await one.ended
  const two = attacher(t, at)
  two.child.stdin!.write('y\n')
  await shows(two, /got y/)
  two.child.stdin!.write('end\n')
  assert.equal(await two.ended, 7)
})

test('much output arrives whole at a slow one and a fast one, and in the log', async t => {
  const at = place(t)
  const script = `while ! [ -e ${at.file('go')} ]; do sleep 0.02; done; seq 1 300000`
  const monitor = await detached(t, at, { script, log: { path: at.file('log') } })
  const [slow, fast] = [attacher(t, at), attacher(t, at)]
  slow.child.stdout!.on('data', () => {
    slow.child.stdout!.pause()
    setTimeout(() => slow.child.stdout!.resume(), 2)
  })
  await attached(monitor, slow, fast)
  writeFileSync(at.file('go'), '')
  assert.deepEqual([await slow.ended, await fast.ended], [0, 0])
  const expected = Array.from({ length: 300_000 }, (_, index) => `${index + 1}\n`).join('')
  assert.equal(slow.text === expected, true)
  assert.equal(fast.text === expected, true)
  const logged = readFileSync(at.file('log'), 'utf8').trim().split('\n')
  assert.equal(logged.length, 300_000)
})

test('signals go to the container, or to the one who attached if told so', async t => {
  const at = place(t)
  const script = `trap "echo usr1" USR1; trap "exit 9" TERM; touch ${at.file('ready')}; while :; do sleep 0.05; done`
  const monitor = await detached(t, at, { script })
  const [one, two] = [attacher(t, at), attacher(t, at, { signalProxy: false })]
  await attached(monitor, one, two)
  await until(() => existsSync(at.file('ready')), 'the script is ready')
  one.child.kill('SIGUSR1')
  await shows(one, /usr1\n/)
  await shows(two, /usr1\n/)
  two.child.kill('SIGTERM')
  await two.ended
  assert.equal(two.child.signalCode, 'SIGTERM')
  assert.equal(isThere(monitor), true)
  one.child.kill('SIGTERM')
  assert.equal(await one.ended, 9)
})

test('a signal that ends the container is told as 128 and its number', async t => {
  const at = place(t)
  await detached(t, at, { script: 'read x; kill -9 $$', stdin: 'open', hostPid: true })
  const one = attacher(t, at)
  const waiting = waitForEnd(at.socket)
  one.child.stdin!.write('x\n')
  assert.equal(await one.ended, 137)
  assert.deepEqual(await waiting, { status: 137, signal: 'SIGKILL' })
})

test('waiting: the end is told; nothing where nobody listens or the monitor is killed', async t => {
  const at = place(t)
  const monitor = await detached(t, at, { script: `${echoes}`, stdin: 'open' })
  const one = attacher(t, at, { stdout: false, stderr: false })
  const waits = [waitForEnd(at.socket), waitForEnd(at.socket)]
  one.child.stdin!.write('end\n')
  for (const exit of await Promise.all(waits)) assert.deepEqual(exit, { status: 7, signal: null })
  assert.equal(await one.ended, 7)
  assert.equal(one.text, '')
  await until(() => !isThere(monitor), 'the monitor ends')
  assert.equal(await waitForEnd(at.socket), undefined)
  assert.equal(await waitForEnd(at.file('absent/attach.sock')), undefined)
  const another = await detached(t, at, { script: 'sleep 30' })
  const [waiting, two] = [waitForEnd(at.socket), attacher(t, at)]
  await attached(another, two)
  process.kill(another, 'SIGKILL')
  assert.equal(await waiting, undefined)
  assert.equal(await two.ended, 125)
  assert.match(two.text, /the monitor of the container was killed\n$/)
})

test('where nobody listens it is an error', async t => {
  const one = attacher(t, place(t))
  assert.equal(await one.ended, 125)
  assert.match(one.text, /^minictr-helper: cannot attach at .*attach.sock: No such file or directory\n$/)
})

test('whose parent has ended before it could say that it is to end with it does not stay', async t => {
  const at = place(t)
  await detached(t, at, { script: 'sleep 5' })
  const script = 'read go; exec "$@"'
  const child = spawn('sh', ['-c', script, 'sh', helperPath(), 'attach', at.socket], {
    stdio: ['pipe', 'inherit', 'inherit', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const news = child.stdio[3]!
  news.destroy()
  await once(news, 'close')
  child.stdin!.write('go\n')
  assert.deepEqual(await once(child, 'exit'), [125, null])
})

test('one whose output nobody reads any more is let go, and the container goes on', async t => {
  const at = place(t)
  const monitor = await detached(t, at, { script: echoes, stdin: 'open' })
  const one = attacher(t, at)
  await attached(monitor, one)
  one.child.stdout!.destroy()
  one.child.stdin!.write('unread\n')
  await until(() => one.text !== '', 'it is told of')
  assert.equal(one.text, `unwritten stdout ${constants.errno.EPIPE}\n`)
  const two = attacher(t, at)
  two.child.stdin!.write('end\n')
  assert.equal(await two.ended, 7)
})

function typed(keys: string): { detachKeys: number[] } {
  return { detachKeys: [...parseDetachKeys(keys)] }
}

function command({ socket }: Place, options: object): string {
  return `'${process.execPath}' '${attacherPath}' '${socket}' '${JSON.stringify(options)}'`
}

const SHOWS_SIZE = 'trap "stty size" WINCH; echo ready; while :; do read line && echo "got $line"; done'

test('a terminal: its size is set twice to have all drawn anew, keys detach, and it is as it was', async t => {
  const at = place(t)
  const monitor = await detached(t, at, { script: SHOWS_SIZE, stdin: 'open', terminal: true })
  const attach = command(at, { tty: true, ...typed('ctrl-p,ctrl-q') })
  const { screen, terminal, before } = await inTerminal(`stty rows 33 cols 99; ${attach}`)
  await screen.shows(/33 99\r\n/)
  assert.notEqual(modes(terminal), before)
  execFileSync('stty', ['-F', terminal, 'rows', '40', 'cols', '120'])
  await screen.shows(/40 120\r\n/)
  // What only begins as the sequence does goes to the container.
  screen.type('a\x10b\r')
  await until(() => screen.text.includes('got a\x10b\r\n'), 'what was typed is read')
  screen.type('\x10')
  screen.type('\x11')
  await screen.shows(/detached\r\nstatus 0\r\n/)
  assert.equal(modes(terminal).replace(/rows.*/, ''), before.replace(/rows.*/, ''))
  assert.equal(isThere(monitor), true)
  await screen.end()
})

test('a terminal whose attacher is killed is as it was; so it is when the monitor is killed', async t => {
  for (const victim of ['attacher', 'monitor']) {
    const at = place(t)
    const monitor = await detached(t, at, { script: SHOWS_SIZE, stdin: 'open', terminal: true })
    const { screen, terminal, before } = await inTerminal(command(at, { tty: true }))
    await until(() => modes(terminal) !== before, 'raw')
    screen.type('x\r')
    await screen.shows(/got x/)
    if (victim === 'monitor') process.kill(monitor, 'SIGKILL')
    else
      process.kill(
        Number(
          execFileSync('pgrep', ['-f', `attacher.ts ${at.socket}`], { encoding: 'utf8' }).split('\n')[0],
        ),
        'SIGKILL',
      )
    await screen.shows(victim === 'monitor' ? /was killed\r\nstatus 125/ : /status 137/)
    await until(() => modes(terminal) === before, 'as it was')
    await screen.end()
  }
})

test('the client that started it detaches by its keys; another attaches then', async t => {
  const at = place(t)
  const script = 'echo ready; while read line; do [ "$line" = end ] && exit 7; echo "got $line"; done'
  const { screen, terminal, before } = await inTerminal({
    script,
    stdin: true,
    terminal: true,
    raw: true,
    listen: at.socket,
    detachKeys: '\x10\x11',
  })
  await screen.shows(/ready/)
  screen.type('one\r')
  await screen.shows(/got one/)
  screen.type('\x10\x11')
  await screen.shows(/detached: monitor \d+ container \d+\r\nstatus 0/)
  assert.equal(modes(terminal), before)
  const monitor = Number(/monitor (\d+)/.exec(screen.text)![1])
  await screen.end()
  assert.equal(isThere(monitor), true)
  const other = attacher(t, at)
  other.child.stdin!.write('two\n')
  await shows(other, /got two/)
  other.child.stdin!.write('end\n')
  assert.equal(await other.ended, 7)
  await until(() => !isThere(monitor), 'the monitor ends')
})

for (const { title, script, isStarted } of [
  { title: 'not while somebody has the cleaner’s file locked', script: 'rm "$0"; read end' },
  { title: 'once that one has died and left it', script: 'read end', isStarted: true },
]) {
  test(`the command for orphans is started ${title}`, async t => {
    const at = place(t)
    const [cleaner, orphan] = [at.file('cleaner'), at.file('orphan')]
    writeFileSync(cleaner, '')
    const monitor = await detached(t, at, {
      script: 'read x',
      stdin: 'open',
      cleaner,
      onOrphan: ['/usr/bin/touch', orphan],
    })
    const held = ['-o', cleaner, 'sh', '-c', `echo held; read end; ${script}`, cleaner]
    const holder = spawn('flock', held, { stdio: ['pipe', 'pipe', 'inherit'] })
    t.after(() => holder.kill('SIGKILL'))
    await once(holder.stdout, 'data')
    const one = attacher(t, at)
    one.child.stdin!.write('x\n')
    await one.ended
    await until(() => !isThere(monitor), 'the monitor ends')
    await until(() => openers(cleaner).length > 1, 'somebody else waits for the lock')
    assert.equal(existsSync(orphan), false)
    holder.stdin.write('\n')
    if (!isStarted) await until(() => !existsSync(cleaner), 'it is cleaned up')
    assert.equal(existsSync(orphan), false)
    holder.kill('SIGKILL')
    holder.stdin.end()
    await until(() => openers(cleaner).length === 0, 'nobody waits any more')
    if (isStarted) await until(() => existsSync(orphan), 'the command is started')
    assert.equal(existsSync(orphan), isStarted === true)
  })
}

/** The processes that have the file open, be it removed or not. */
function openers(path: string): string[] {
  return readdirSync('/proc').filter(pid => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some(fd => readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(path))
    } catch {
      return false // no process, or none any more
    }
  })
}

test('a client with only some of the streams sees only those', async t => {
  const { stdout, stderr } = await run(t, {
    script: 'echo out; echo err >&2',
    streams: { stdin: false, stdout: false, stderr: true },
  })
  assert.deepEqual([stdout, stderr], ['', 'err\n'])
})
