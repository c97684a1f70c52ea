// Terminals: the container's own pty, and the client's terminal, which must be as it was whatever happens.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawnExecutor } from '../../src/system/executor.ts'
import { Monitor } from '../../src/system/monitor.ts'
import type { ClientOptions } from './client.ts'
import { clientCommand, isThere, until } from './clients.ts'
import { call, errnoOf, succeed } from './executors.ts'
import { inTerminal, modes } from './screen.ts'

test('the container has a terminal of its own: name, size, control, and its input and output', async () => {
  const script = 'tty; stty size; ps -o tty= -p 1; read line; echo "read: $line"; exit 21'
  const { screen, terminal, before } = await inTerminal({ script, stdin: true, terminal: true, raw: true })
  await screen.shows(/\/dev\/pts\/0\r\n24 80\r\npts\/0\s*\r\n/)
  assert.notEqual(modes(terminal), before, 'raw while the container runs')
  screen.type('typed\r')
  await screen.shows(/typed\r\nread: typed\r\nstatus 21\r\n/)
  assert.equal(modes(terminal), before)
  await screen.end()
})

test('keys go to the container as they are: ^C there is a signal there, not here', async () => {
  const script = 'trap "echo interrupted; exit 22" INT; echo ready; while :; do sleep 0.05; done'
  const { screen } = await inTerminal({ script, stdin: true, terminal: true, raw: true })
  await screen.shows(/ready/)
  screen.type('\x03')
  await screen.shows(/interrupted\r\nstatus 22/)
  await screen.end()
})

test('under a reaper ^C reaches the program once', async () => {
  const script = 'trap "echo interrupted" INT; echo ready; while :; do sleep 0.05; done'
  const last = [{ name: 'fork_under_reaper', args: [] }]
  const { screen } = await inTerminal({ script, stdin: true, terminal: true, raw: true, last })
  await screen.shows(/ready/)
  screen.type('\x03')
  await screen.shows(/interrupted/)
  screen.type('\x1c') // ^\
  await screen.shows(/status 131/)
  assert.equal(screen.text.match(/interrupted/g)!.length, 1)
  await screen.end()
})

test('a new size of the client’s terminal becomes the container’s', async () => {
  const script = 'trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done'
  const { screen, terminal } = await inTerminal({ script, stdin: true, terminal: true, raw: true })
  await screen.shows(/ready/)
  execFileSync('stty', ['-F', terminal, 'rows', '50', 'cols', '133'])
  await screen.shows(/50 133\r\nstatus 0/)
  await screen.end()
})

/** Of what shows the numbers up to 100000, then the status. */
function firstWrongLine(text: string): number {
  const lines = text.replaceAll('\r', '').trim().split('\n')
  assert.equal(lines.length, 100_001)
  return lines.findIndex((line, index) => line !== (index < 100_000 ? String(index + 1) : 'status 0'))
}

test('much output through the pty arrives whole', async () => {
  const { screen } = await inTerminal({ script: 'seq 1 100000', terminal: true })
  await screen.shows(/status 0/)
  assert.equal(firstWrongLine(screen.text), -1)
  await screen.end()
})

test('a terminal that takes no more, given as /dev/tty, keeps nobody else waiting; what it was to show arrives', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'minictr-terminal-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const [ready, signalled] = [join(directory, 'ready'), join(directory, 'signalled')]
  const script = `trap "touch ${signalled}" USR1; seq 1 100000 & touch ${ready}; wait; wait`
  const { screen } = await inTerminal(`${clientCommand({ script })} > /dev/tty`)
  t.after(() => screen.child.kill('SIGCONT'))
  await until(() => existsSync(ready), 'the script runs')
  screen.child.kill('SIGSTOP')
  await sleep(500) // it is full long before
  const client = execFileSync('pgrep', ['-P', String(screen.shell)], { encoding: 'utf8' })
  process.kill(Number(client), 'SIGUSR1')
  await until(() => existsSync(signalled), 'the signal arrives')
  screen.child.kill('SIGCONT')
  await screen.shows(/status 0/)
  assert.equal(firstWrongLine(screen.text), -1)
  await screen.end()
})

test('a client killed with the terminal in raw mode: it is restored, the container goes on', async () => {
  const options: ClientOptions = {
    script: 'echo ready; sleep 30',
    stdin: true,
    terminal: true,
    raw: true,
    stopAt: 'running',
  }
  const { screen, terminal, before } = await inTerminal(options)
  await screen.shows(/stopped: monitor \d+ container \d+/)
  await screen.shows(/ready/)
  const [, monitor, container] = /monitor (\d+) container (\d+)/.exec(screen.text)!.map(Number)
  assert.notEqual(modes(terminal), before)
  const client = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${monitor}/status`, 'utf8'))![1])
  process.kill(client, 'SIGKILL')
  await screen.shows(/status 137/)
  await until(() => modes(terminal) === before, 'the terminal is as it was')
  assert.equal(isThere(container!), true)
  await screen.end()
  process.kill(container!, 'SIGKILL')
  await until(() => !isThere(monitor!), 'the monitor ends')
})

test('the monitor asked to end restores the terminal first', async () => {
  const options: ClientOptions = {
    script: 'trap "" TERM; echo ready; sleep 30',
    stdin: true,
    terminal: true,
    raw: true,
    stopAt: 'running',
  }
  const { screen, terminal, before } = await inTerminal(options)
  await screen.shows(/ready/)
  await screen.shows(/stopped/)
  const [, monitor, container] = /monitor (\d+) container (\d+)/.exec(screen.text)!.map(Number)
  process.kill(monitor!, 'SIGTERM')
  await until(() => modes(terminal) === before, 'the terminal is as it was')
  const client = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${monitor}/status`, 'utf8'))![1])
  process.kill(container!, 'SIGKILL')
  process.kill(client, 'SIGKILL')
  await screen.shows(/status \d+/)
  await screen.end()
  await until(() => !isThere(monitor!), 'the monitor ends')
})

test('without a terminal there is none to be made raw or resized; without a monitor a pty goes nowhere', async () => {
  const monitor = Monitor.spawn({ stdin: 'ignore', stdout: 'ignore' })
  assert.equal(await errnoOf(monitor.host, call('raw_terminal')), 'ENOTTY')
  assert.equal(await errnoOf(monitor.host, call('resize')), 'ENOTTY')
  await monitor.close()
  const { executor, close } = spawnExecutor()
  assert.equal(await errnoOf(executor, call('open_pty', '/dev/ptmx', 0, 0, 0)), 'EBADF')
  assert.equal(await errnoOf(executor, call('open_pty', '/dev/null', 0, 0, 0)), 'ENOTTY')
  await succeed(executor, call('umask', 0o22))
  await close()
})
