// Logs as files: read from the end, through rotations, and followed while somebody writes them.

import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LogReading, readLog } from '../../src/containers/logs.ts'
import { identify } from '../../src/system/process-identity.ts'

const ID = '0'.repeat(64)
const reading: LogReading = { timestamps: false, details: false, follow: false }

let roots = { root: '', runRoot: '' }
let log = ''
beforeEach(() => {
  const base = mkdtempSync(join(tmpdir(), 'minictr-logs-'))
  roots = { root: join(base, 'root'), runRoot: join(base, 'run') }
  mkdirSync(join(roots.root, 'containers', ID), { recursive: true })
  mkdirSync(join(roots.runRoot, ID), { recursive: true })
  log = join(roots.root, 'containers', ID, 'json.log')
})
afterEach(() => rmSync(join(roots.root, '..'), { recursive: true }))

function line(number: number): string {
  return `${JSON.stringify({ log: `${number}\n`, stream: 'stdout', time: '2026-11-21T09:30:00Z' })}\n`
}

const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => line(from + index)).join('')

/** The numbers as they were printed. */
function numbers(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`).join('')
}

async function read(options: Partial<LogReading> = {}): Promise<string> {
  let text = ''
  await readLog(roots, ID, { ...reading, ...options }, async ({ bytes }) => {
    text += bytes.toString()
  })
  return text
}

describe('a log in several files', () => {
  it('is read from the oldest on', async () => {
    writeFileSync(`${log}.2`, lines(1, 3))
    writeFileSync(`${log}.1`, lines(4, 6))
    writeFileSync(log, lines(7, 9))
    assert.equal(await read(), numbers(1, 9))
  })

  it('gives its last lines, wherever they begin', async () => {
    writeFileSync(`${log}.1`, lines(1, 5000))
    writeFileSync(log, lines(5001, 5003))
    for (const tail of [0, 1, 2, 3, 4, 100, 4999, 5002, 5003, 9999])
      assert.equal(await read({ tail }), numbers(Math.max(1, 5004 - tail), 5003), `tail ${tail}`)
  })

  it('is nothing where nothing was printed', async () => {
    assert.equal(await read(), '')
    writeFileSync(log, '')
    assert.equal(await read({ tail: 3 }), '')
  })

  it('keeps nothing of a torn last line of a file', async () => {
    writeFileSync(`${log}.1`, `${lines(1, 2)}{"log":"to`)
    writeFileSync(log, lines(3, 4))
    assert.equal(await read(), numbers(1, 4))
  })

  it('is none for the driver none', async () => {
    writeFileSync(join(log, '../container.json'), '{"log":{"driver":"none"}}')
    await assert.rejects(read(), /configured logging driver does not support reading/)
  })
})

describe('a log that is followed', () => {
  /** A monitor that is there as long as this test. */
  const startMonitor = () =>
    writeFileSync(join(roots.runRoot, ID, 'journal'), `${JSON.stringify({ owner: identify(process.pid) })}\n`)
  const endMonitor = () => rmSync(join(roots.runRoot, ID, 'journal'))

  it('gives what comes, through rotations, and ends with the container', async () => {
    startMonitor()
    writeFileSync(log, lines(1, 3))
    let text = ''
    const followed = readLog(roots, ID, { ...reading, follow: true, tail: 1 }, async ({ bytes }) => {
      text += bytes.toString()
    })
    const seen = async (expected: string) => {
      while (text.length < expected.length) await sleep(5)
      assert.equal(text, expected)
    }
    await seen(numbers(3, 3))
    appendFileSync(log, line(4))
    await seen(numbers(3, 4))
    const cut = line(5)
    appendFileSync(log, cut.slice(0, 20))
    appendFileSync(log, cut.slice(20))
    await seen(numbers(3, 5))
    // Two rotations at once.
    appendFileSync(log, line(6))
    renameSync(log, `${log}.1`)
    writeFileSync(log, line(7))
    renameSync(`${log}.1`, `${log}.2`)
    renameSync(log, `${log}.1`)
    writeFileSync(log, line(8))
    await seen(numbers(3, 8))
    appendFileSync(log, line(9))
    endMonitor()
    await followed
    assert.equal(text, numbers(3, 9))
  })

  it('begins anew with a file that does so in its place', async () => {
    startMonitor()
    writeFileSync(log, lines(1, 5))
    let text = ''
    const followed = readLog(roots, ID, { ...reading, follow: true }, async ({ bytes }) => {
      text += bytes.toString()
    })
    while (text.length < numbers(1, 5).length) await sleep(5)
    writeFileSync(log, line(6))
    endMonitor()
    await followed
    assert.equal(text, numbers(1, 6))
  })

  it('may begin before anything is printed', async () => {
    startMonitor()
    const followed = read({ follow: true })
    await sleep(20)
    writeFileSync(log, line(1))
    endMonitor()
    assert.equal(await followed, numbers(1, 1))
  })

  it('of a container that does not run is only read', async () => {
    writeFileSync(log, lines(1, 2))
    assert.equal(await read({ follow: true }), numbers(1, 2))
  })

  it('loses nothing of a writer who rotates all the while', async () => {
    startMonitor()
    const count = 20_000
    let text = ''
    const followed = readLog(roots, ID, { ...reading, follow: true }, async ({ bytes }) => {
      text += bytes.toString()
    })
    for (let number = 1; number <= count; number += 100) {
      appendFileSync(log, lines(number, number + 99))
      if (number % 500 === 1) {
        for (let old = 60; old > 0; old--) {
          try {
            renameSync(`${log}.${old}`, `${log}.${old + 1}`)
          } catch {
            // There are not so many yet.
          }
        }
        renameSync(log, `${log}.1`)
      }
      if (number % 1000 === 1) await sleep(1)
    }
    endMonitor()
    await followed
    assert.equal(text, numbers(1, count))
  })
})
