// Events: written by anybody, told as they happen, in Docker's words, chosen by filters.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type EventType, recordEvent } from '../../src/containers/events.ts'
import { minictr, startMinictr } from '../fixtures/command-line.ts'

const ID = 'a1'.repeat(32)

let roots = { root: '', runRoot: '' }
let globals: string[] = []
beforeEach(() => {
  const base = mkdtempSync(join(tmpdir(), 'minictr-events-'))
  roots = { root: join(base, 'root'), runRoot: join(base, 'run') }
  globals = ['--root', roots.root, '--run-root', roots.runRoot]
})
afterEach(() => rmSync(join(roots.root, '..'), { recursive: true }))

function happen(
  action: string,
  attributes: Record<string, string> = {},
  type: EventType = 'container',
  id = ID,
) {
  recordEvent(roots, { type, action, id, attributes })
}

async function past(...flags: string[]): Promise<string[]> {
  const { status, stdout, stderr } = await minictr([
    ...globals,
    'events',
    '--since',
    '1h',
    '--until',
    '0s',
    ...flags,
  ])
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  return stdout.split('\n').slice(0, -1)
}

describe('the time of an event', () => {
  it('is that of the clock, also of one that was set since the process told its first', t => {
    const writtenMs = () => {
      happen('start')
      const lines = readFileSync(join(roots.runRoot, 'events.jsonl'), 'utf8').trim().split('\n')
      return JSON.parse(lines.at(-1)!).timeNano / 1e6
    }
    writtenMs()
    for (const hours of [1, -1]) {
      const nowMs = Date.now() + hours * 3_600_000
      t.mock.method(Date, 'now', () => nowMs)
      assert.ok(Math.abs(writtenMs() - nowMs) < 1000)
      t.mock.restoreAll()
    }
  })
})

describe('events of the past', () => {
  it('are told in Docker’s form', async () => {
    happen('start', { name: 'web', image: 'debian' })
    const [line] = await past()
    assert.match(
      line!,
      new RegExp(
        `^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}(Z|[+-]\\d\\d:\\d\\d) container start ${ID} \\(image=debian, name=web\\)$`,
      ),
    )
  })

  it('have Docker’s fields, with all digits of their time', async () => {
    happen('die', { name: 'web', image: 'debian', exitCode: '3' })
    const written = readFileSync(join(roots.runRoot, 'events.jsonl'), 'utf8').trim()
    assert.deepEqual(await past('--format', 'json'), [written])
    assert.deepEqual(await past('--format', '{{json .}}'), [written])
    const { time, timeNano, ...fields } = JSON.parse(written)
    assert.deepEqual(fields, {
      status: 'die',
      id: ID,
      from: 'debian',
      Type: 'container',
      Action: 'die',
      Actor: { ID, Attributes: { name: 'web', image: 'debian', exitCode: '3' } },
      scope: 'local',
    })
    assert.ok(Math.abs(time * 1000 - Date.now()) < 60_000)
    assert.equal(Math.floor(timeNano / 1e9), time)
    assert.deepEqual(
      await past('--format', '{{.Type}} {{.Action}} {{.From}} {{.Actor.Attributes.exitCode}} {{.TimeNano}}'),
      [`container die debian 3 ${/"timeNano":(\d+)/.exec(written)![1]}`],
    )
  })

  it('are chosen by filters', async () => {
    happen('start', { name: 'web', image: 'debian:trixie', colour: 'red' })
    happen('exec_start: sh', { name: 'web', image: 'debian:trixie' })
    happen('start', { name: 'db', image: 'postgres' }, 'container', 'b2'.repeat(32))
    happen('pull', { name: 'debian' }, 'image', 'debian:trixie')
    happen('create', { driver: 'local' }, 'volume', 'data')
    const told = async (...filters: string[]) =>
      (await past('--format', '{{.Action}}', ...filters.flatMap(filter => ['--filter', filter]))).join()
    assert.equal(await told(), 'start,exec_start: sh,start,pull,create')
    assert.equal(await told('container=web'), 'start,exec_start: sh')
    assert.equal(await told('container=a1a1', 'container=db'), 'start,exec_start: sh,start')
    assert.equal(await told('event=start', 'container=web'), 'start')
    assert.equal(await told('event=exec_start'), 'exec_start: sh')
    assert.equal(await told('type=image', 'type=volume'), 'pull,create')
    assert.equal(await told('image=debian'), 'start,exec_start: sh,pull')
    assert.equal(await told('image=debian:trixie', 'type=image'), 'pull')
    assert.equal(await told('label=colour'), 'start')
    assert.equal(await told('label=colour=blue'), '')
    assert.equal(await told('volume=data'), 'create')
    assert.equal(await told('scope=swarm'), '')
    const refused = await minictr([...globals, 'events', '--filter', 'size=5'])
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /invalid filter 'size'/)
  })

  it('go on behind a torn line', async () => {
    happen('create')
    appendFileSync(join(roots.runRoot, 'events.jsonl'), '{"Type":"container","Act\n')
    happen('start')
    assert.deepEqual(await past('--format', '{{.Action}}'), ['create', 'start'])
  })

  it('are two files at most', async () => {
    const attributes = { name: 'x'.repeat(5000) }
    for (let count = 0; count < 450; count++) happen('start', attributes)
    happen('destroy')
    for (const file of ['events.jsonl', 'events.jsonl.1'])
      assert.ok(statSync(join(roots.runRoot, file)).size < 1_100_000, file)
    const told = await past('--format', '{{.Action}}')
    assert.ok(told.length > 200 && told.length < 450, `${told.length}`)
    assert.equal(told.at(-1), 'destroy')
  })
})

describe('events of many processes at once', () => {
  it('are rotated by one of them: no file goes before it is full', async () => {
    const events = JSON.stringify(join(import.meta.dirname, '../../src/containers/events.ts'))
    const script = `
      import { statSync } from 'node:fs'
      import { recordEvent } from ${events}
      const roots = ${JSON.stringify(roots)}
      const event = { type: 'container', action: 'start', id: 'a1', attributes: { name: 'x'.repeat(5000) } }
      for (let count = 0; count < 1000; count++) {
        recordEvent(roots, event)
        const full = statSync(roots.runRoot + '/events.jsonl.1', { throwIfNoEntry: false })
        if (full && full.size < 1_000_000) throw new Error('a file of ' + full.size + ' bytes is rotated')
      }`
    const writers = [1, 2, 3, 4].map(() =>
      promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]),
    )
    await Promise.all(writers)
  })
})

describe('events until 0', () => {
  it('are all those of the past, but none after a later beginning', async () => {
    happen('create')
    const all = await minictr([...globals, 'events', '--until', '0', '--format', '{{.Action}}'])
    assert.equal(all.status, 0)
    assert.match(all.stdout, /^create$/m)
    const none = await minictr([...globals, 'events', '--since', '1h', '--until', '0'])
    assert.deepEqual([none.status, none.stdout], [1, ''])
    assert.match(none.stderr, /`since` time \(\d+\) cannot be after `until` time \(0\)/)
  })
})

describe('events that happen', () => {
  it('are told at once, from the beginning of listening on', async () => {
    happen('create')
    const listening = startMinictr([...globals, 'events', '--format', '{{.Action}}', '--until', '-1h'])
    const always = startMinictr([...globals, 'events', '--format', '{{.Action}}'])
    while (!listening.output().includes('create')) await sleep(20)
    // Both were started together, but only one tells when it listens.
    while (!always.output().includes('start')) {
      happen('start')
      await sleep(50)
    }
    assert.doesNotMatch(always.output(), /create/)
    happen('die')
    while (!always.output().includes('die') || !listening.output().includes('die')) await sleep(20)
    for (const { child, outcome } of [listening, always]) {
      child.kill()
      await outcome
    }
  })
})
