// Attaching where the monitor has few descriptors left.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { basename } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitForEnd } from '../../src/system/attach.ts'
import { attacher, detached, echoes, links, type Place, place, shows } from './attachers.ts'
import { isThere, until } from './clients.ts'

/** How many are connected with a monitor, be they accepted (state 3 in /proc/net/unix) or not yet (2). */
function connections({ socket }: Place): number {
  const sockets = readFileSync('/proc/net/unix', 'utf8').split('\n')
  return sockets.filter(line => / 0[23] +\d+ /.test(line) && line.endsWith(`/${basename(socket)}`)).length
}

/** Has a process open no files beyond so many. */
function limitFiles(pid: number, limit: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:4096`])
}

/** The time that a process has computed, in ticks of 10 ms. */
function ticks(pid: number): number {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ').slice(11, 13)
  return Number(user) + Number(system)
}

test('whom the monitor has no descriptors for waits in peace, and is served when it has', async t => {
  const at = place(t)
  const monitor = await detached(t, at, { script: echoes, stdin: 'open' })
  limitFiles(monitor, links(monitor).length)
  const one = attacher(t, at)
  one.child.stdin!.write('waited\n')
  await until(() => connections(at) > 0, 'it is connected')
  const before = ticks(monitor)
  await sleep(1000)
  assert.ok(ticks(monitor) - before < 10, `${ticks(monitor) - before} ticks`)
  assert.equal(one.text, '')
  limitFiles(monitor, 1024)
  await shows(one, /got waited\n/)
  one.child.stdin!.write('end\n')
  assert.equal(await one.ended, 7)
})

test('all hear of the end, and it is recorded, where more wait for it than the monitor may open files', async t => {
  const at = place(t)
  const recordExit = at.file('exit.json')
  const monitor = await detached(t, at, { script: echoes, stdin: 'open', recordExit })
  const one = attacher(t, at)
  one.child.stdin!.write('x\n')
  await shows(one, /got x/)
  limitFiles(monitor, links(monitor).length + 30)
  const waits = Array.from({ length: 60 }, () => waitForEnd(at.socket))
  await until(() => connections(at) > waits.length, 'all are connected')
  one.child.stdin!.write('y\n') // meanwhile all have said what they want
  await shows(one, /got y/)
  one.child.stdin!.write('end\n')
  for (const exit of await Promise.all(waits)) assert.deepEqual(exit, { status: 7, signal: null })
  assert.equal(await one.ended, 7)
  assert.equal(JSON.parse(readFileSync(recordExit, 'utf8')).exitStatus, 7)
})

test('of many who attach at once those are told for whom there are too few descriptors', async t => {
  const at = place(t)
  const monitor = await detached(t, at, { script: echoes, stdin: 'open' })
  limitFiles(monitor, links(monitor).length + 22)
  process.kill(monitor, 'SIGSTOP')
  t.after(() => isThere(monitor) && process.kill(monitor, 'SIGCONT'))
  const several = [attacher(t, at), attacher(t, at), attacher(t, at), attacher(t, at)]
  await until(() => connections(at) === several.length, 'all are connected')
  process.kill(monitor, 'SIGCONT')
  const refusal = `unwritten stdout ${constants.errno.EMFILE}\n`
  const refused = () => several.filter(({ text }) => text === refusal)
  await until(() => refused().length === 2, 'two are told')
  const served = several.find(it => !refused().includes(it))!
  served.child.stdin!.write('end\n')
  assert.equal(await served.ended, 7)
})
