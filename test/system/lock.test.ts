// The lock between processes: one at a time, and free again as soon as its holder is dead.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { withLock } from '../../src/system/lock.ts'

const directory = mkdtempSync(join(tmpdir(), 'minictr-lock-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const lockModule = join(import.meta.dirname, '../../src/system/lock.ts')

/** A process that runs `body` while it holds the lock. */
function holder(lock: string, body: string) {
  const source = `
    import { withLock } from ${JSON.stringify(lockModule)}
    import { appendFileSync, readFileSync, writeFileSync, rmSync, mkdirSync } from 'node:fs'
    import { setTimeout as sleep } from 'node:timers/promises'
    await withLock(${JSON.stringify(lock)}, async () => { ${body} })`
  return spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

test('many processes never hold it at the same time, and none loses its turn', async () => {
  const lock = join(directory, 'deep/er/many.lock')
  const counter = join(directory, 'counter')
  writeFileSync(counter, '0')
  // mkdir fails if another holder is inside; the counter loses a count if two read it at once.
  const body = `
    mkdirSync(${JSON.stringify(join(directory, 'inside'))})
    const n = Number(readFileSync(${JSON.stringify(counter)}, 'utf8'))
    await sleep(5)
    writeFileSync(${JSON.stringify(counter)}, String(n + 1))
    rmSync(${JSON.stringify(join(directory, 'inside'))}, { recursive: true })`
  const children = Array.from({ length: 8 }, () => holder(lock, body))
  const statuses = await Promise.all(children.map(async child => (await once(child, 'exit'))[0]))
  assert.deepEqual(statuses, Array(8).fill(0))
  assert.equal(readFileSync(counter, 'utf8'), '8')
  assert.deepEqual(readdirSync(join(directory, 'deep/er')), [], 'no lock file is left')
})

test('a holder ended by SIGKILL frees it, and the waiter was told that it waits', async () => {
  const lock = join(directory, 'killed.lock')
  const child = holder(lock, `console.log('held'); await sleep(600_000)`)
  await once(child.stdout, 'data')
  let waited = false
  const onWait = () => {
    waited = true
    child.kill('SIGKILL')
  }
  const turn = withLock(lock, () => 'mine', { onWait })
  assert.equal(await turn, 'mine')
  assert.equal(waited, true)
  assert.equal(child.signalCode ?? (await once(child, 'exit'))[1], 'SIGKILL')
})

test('waiting for it can be given up, and leaves it to its holder', async () => {
  const lock = join(directory, 'given-up.lock')
  const controller = new AbortController()
  const reason = new Error('no longer wanted')
  await withLock(lock, async () => {
    const waiter = withLock(lock, () => 'never', {
      onWait: () => controller.abort(reason),
      signal: controller.signal,
    })
    await assert.rejects(waiter, reason)
    assert.equal(existsSync(lock), true)
  })
})

test('within one process it excludes as well, and an error frees it', async () => {
  const lock = join(directory, 'one-process.lock')
  const order: string[] = []
  const first = withLock(lock, async () => {
    order.push('first in')
    await new Promise(resolve => setTimeout(resolve, 20))
    order.push('first out')
    throw new Error('given up')
  })
  const second = first.catch(() => {}).then(() => withLock(lock, () => order.push('third')))
  await assert.rejects(first, /given up/)
  await withLock(lock, () => order.push('second'))
  await second
  assert.deepEqual(order.slice(0, 2), ['first in', 'first out'])
  assert.deepEqual(order.slice(2).sort(), ['second', 'third'])
  assert.equal(existsSync(lock), false)
})
