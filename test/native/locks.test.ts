// The op lock: one holder at a time, over once the holder is, however it ended.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type LoneExecutor, spawnExecutor } from '../../src/system/executor.ts'
import { Monitor } from '../../src/system/monitor.ts'
import { call, errnoOf, succeed } from './executors.ts'

const LONG_MS = 20_000

function lockPath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'minictr-locks-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return join(directory, 'lock')
}

function contender(t: TestContext): LoneExecutor {
  const lone = spawnExecutor()
  t.after(() => lone.close())
  return lone
}

test('of two contenders one has the lock, until it closes it', async t => {
  const path = lockPath(t)
  const [one, other] = [contender(t), contender(t)]
  await succeed(one.executor, call('lock', path, 0, 0))
  assert.equal(statSync(path).mode & 0o7777, 0o600)
  assert.equal(await errnoOf(other.executor, call('lock', path, 0, 0)), 'EAGAIN')
  assert.equal(await errnoOf(other.executor, call('lock', path, 30, 0)), 'EAGAIN')
  await succeed(one.executor, call('close', 0))
  await succeed(other.executor, call('lock', path, 0, 0))
})

test('a client that leaves its container to the monitor leaves it no lock', async t => {
  const path = lockPath(t)
  const monitor = Monitor.spawn({ stdin: 'ignore' })
  const [spawned] = await succeed(monitor.host, call('spawn_init', 0, 0))
  const pid = spawned!.result
  try {
    await monitor.init.perform([call('execve', ['/bin/sleep'], ['sleep', '1000'], [])])
    await succeed(monitor.host, call('watch', pid), call('lock', path, 0, 0))
    monitor.disconnect()
    await succeed(contender(t).executor, call('lock', path, LONG_MS, 0))
  } finally {
    process.kill(pid, 'SIGKILL')
    await monitor.close()
  }
})

test('kill -9 of its holder hands it to the one who waits', async t => {
  const path = lockPath(t)
  const [one, other] = [contender(t), contender(t)]
  await succeed(one.executor, call('lock', path, 0, 0))
  const waiting = succeed(other.executor, call('lock', path, LONG_MS, 0))
  process.kill(one.pid, 'SIGKILL')
  await waiting
})

test('who waits for a lock whose file its holder removes gets one that is there', async t => {
  const path = lockPath(t)
  const [one, other] = [contender(t), contender(t)]
  await succeed(one.executor, call('lock', path, 0, 0))
  const waiting = succeed(other.executor, call('lock', path, LONG_MS, 0))
  await succeed(one.executor, call('unlink', '', path), call('close', 0))
  await waiting
  assert.ok(existsSync(path))
  assert.equal(await errnoOf(one.executor, call('lock', path, 0, 0)), 'EAGAIN')
})

test('flock(1) respects it; a place that is not there, or a link, is an error', async t => {
  const path = lockPath(t)
  const { executor } = contender(t)
  await succeed(executor, call('lock', path, 0, 0))
  const [status] = await once(spawn('flock', ['-n', path, 'true']), 'exit')
  assert.equal(status, 1)
  assert.equal(await errnoOf(executor, call('lock', `${path}/below`, LONG_MS, 1)), 'ENOTDIR')
  assert.equal(await errnoOf(executor, call('lock', `${path}s/absent`, LONG_MS, 1)), 'ENOENT')
  await succeed(executor, call('symlink', '', `${path}.link`, path))
  assert.equal(await errnoOf(executor, call('lock', `${path}.link`, LONG_MS, 1)), 'ELOOP')
})

test('a program that the holder becomes does not keep it', async t => {
  const path = lockPath(t)
  const [one, other] = [spawnExecutor(), contender(t)]
  await succeed(one.executor, call('lock', path, 0, 0))
  const { closed } = await one.executor.perform([call('execve', ['/bin/sleep'], ['sleep', '30'], [])])
  assert.equal(closed, true)
  await succeed(other.executor, call('lock', path, LONG_MS, 0))
  process.kill(one.pid, 'SIGKILL')
})

test('lock_shared lets others share a directory, and keeps away who wants it alone', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'minictr-locks-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const alone = () => spawnSync('flock', ['-n', directory, 'true']).status
  const [one, other] = [contender(t), contender(t)]
  await succeed(one.executor, call('lock_shared', directory, 0, 0))
  await succeed(other.executor, call('lock_shared', directory, 0, 0))
  assert.equal(alone(), 1)
  await succeed(one.executor, call('close', 0))
  assert.equal(alone(), 1)
  await succeed(other.executor, call('close', 0))
  assert.equal(alone(), 0)
  const holder = spawn('flock', [directory, 'sh', '-c', 'echo held; read go'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  assert.equal(await errnoOf(one.executor, call('lock_shared', directory, 0, 0)), 'EAGAIN')
  holder.stdin.end('\n')
  await succeed(one.executor, call('lock_shared', directory, LONG_MS, 0))
  assert.equal(await errnoOf(one.executor, call('lock_shared', `${directory}/absent`, 0, 1)), 'ENOENT')
})

test('access fails unless all the paths are there', async t => {
  const { executor } = contender(t)
  await succeed(executor, call('access', ['/', '/proc']))
  assert.equal(await errnoOf(executor, call('access', ['/', '/absent', '/proc'])), 'ENOENT')
})
