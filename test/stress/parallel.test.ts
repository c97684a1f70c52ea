// Many commands at once on one store: no container is lost, no name is had twice, and nothing is left of any of it.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { namesIn } from '../e2e/debian.ts'
import type { Outcome } from '../fixtures/command-line.ts'
import { useSmallStore } from '../fixtures/small-store.ts'

const store = useSmallStore()
const { minictr, succeed } = {
  minictr: (...args: string[]) => store.minictr(...args),
  succeed: (...args: string[]) => store.succeed(...args),
}
const unnetworked = ['--network', 'none']

function times<T>(count: number, make: (number: number) => T): T[] {
  return Array.from({ length: count }, (_, number) => make(number))
}

/** Asks for all containers, again and again, until the work is done; whatever is told must be told once. */
async function whileListing<T>(work: Promise<T>): Promise<T> {
  let isDone = false
  const watched = work.finally(() => {
    isDone = true
  })
  const listing = (async () => {
    while (!isDone) {
      const { status, stdout, stderr } = await minictr('ps', '-a', '--no-trunc')
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
      const rows = stdout.trimEnd().split('\n').slice(1)
      const ids = rows.map(row => row.split(/\s+/)[0]!)
      const names = rows.map(row => row.split(/\s+/).at(-1)!)
      assert.equal(new Set(ids).size, ids.length, stdout)
      assert.equal(new Set(names).size, names.length, stdout)
    }
  })()
  const [result] = await Promise.all([watched, listing])
  return result
}

/** What was told of containers since the store was made. */
function events(): { id: string; action: string; name: string }[] {
  return readFileSync(join(store.runRoot, 'events.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
    .filter(({ Type }) => Type === 'container')
    .map(({ Action, Actor }) => ({ id: Actor.ID, action: Action, name: Actor.Attributes.name }))
}

function timesTold(id: string, action: string): number {
  return events().filter(event => event.id === id && event.action === action).length
}

/** Every container that was created was destroyed, each once. */
function assertAllDestroyed(): void {
  const told = (action: string) =>
    events()
      .filter(event => event.action === action)
      .map(({ id }) => id)
      .sort()
  assert.deepEqual(told('destroy'), told('create'))
  assert.equal(new Set(told('create')).size, told('create').length)
}

/** Each outcome is one of those that may be. */
function assertEach(outcomes: Outcome[], expected: { status: number; stderr: RegExp }[]): void {
  for (const { status, stderr } of outcomes) {
    const isExpected = expected.some(one => one.status === status && one.stderr.test(stderr))
    assert.ok(isExpected, `status ${status}: ${stderr}`)
  }
}

const fine = { status: 0, stderr: /^$/ }
const conflict =
  /^minictr: Conflict\. The container name "\/(\w+)" is already in use by container "[0-9a-f]{64}"\. You have to remove \(or rename\) that container to be able to reuse that name\.\nminictr rm \1\n$/
const noSuchContainer =
  /^minictr: No such container: \w+\n[^\n]+\n(minictr: failed to start containers: \w+\n)?$/
/** What `rm -f` is to remove may be gone: that is told, and no failure. */
const removed = [fine, { status: 0, stderr: /^minictr: No such container: \w+\n[^\n]+\n$/ }]

describe('at once', () => {
  it('50 runs with names made up, and listings all the while', async () => {
    const runs = times(50, number =>
      minictr(
        'run',
        '--rm',
        ...unnetworked,
        '-m',
        '32m',
        store.image,
        'sh',
        '-c',
        `echo ${number}; exit ${number}`,
      ),
    )
    for (const [number, outcome] of (await whileListing(Promise.all(runs))).entries())
      assert.deepEqual(outcome, { status: number, stdout: `${number}\n`, stderr: '' })
    assertAllDestroyed()
  })

  it('30 times create, start and rm with ten names, and listings all the while', async () => {
    const works = times(30, async number => {
      const name = `name${number % 10}`
      const created = await minictr('create', '--name', name, ...unnetworked, store.image, 'sleep', '1000')
      const started = await minictr('start', name)
      const gone = await minictr('rm', '-f', name)
      assertEach([created], [fine, { status: 1, stderr: conflict }])
      assertEach([started], [fine, { status: 1, stderr: noSuchContainer }])
      assertEach([gone], removed)
    })
    await whileListing(Promise.all(works))
    assertAllDestroyed()
  })

  it('20 detached runs with one name: one has it', async () => {
    const outcomes = await whileListing(
      Promise.all(
        times(20, () => minictr('run', '-d', '--name', 'same', ...unnetworked, store.image, 'sleep', '1000')),
      ),
    )
    assert.equal(outcomes.filter(({ status }) => status === 0).length, 1)
    assertEach(outcomes, [fine, { status: 125, stderr: conflict }])
    const [winner] = outcomes.flatMap(({ status, stdout }) => (status === 0 ? stdout.trim() : []))
    assert.deepEqual(await succeed('ps', '-aq', '--no-trunc'), winner)
    await succeed('rm', '-f', 'same')
  })

  it('20 short detached runs that go at their end', async () => {
    const outcomes = await Promise.all(
      times(20, () => minictr('run', '-d', '--rm', ...unnetworked, store.image, 'true')),
    )
    assertEach(outcomes, [fine])
    await store.assertAsBefore()
    for (const { stdout } of outcomes) {
      for (const action of ['create', 'start', 'die', 'destroy'])
        assert.equal(timesTold(stdout.trim(), action), 1, `${action} of ${stdout}`)
    }
  })
})

describe('of one container, at once', () => {
  /** What its program has written, a line for each time that it was started. */
  const counted = ['sh', '-c', 'echo started >> /count; exec sleep 1000']
  const countOf = (id: string) =>
    readFileSync(join(store.root, 'containers', id, 'upper/count'), 'utf8').split('\n').length - 1

  it('six starts: its program is started once', async () => {
    for (let round = 0; round < 3; round++) {
      const id = await succeed('create', '--name', 'once', ...unnetworked, store.image, ...counted)
      assertEach(await Promise.all(times(6, () => minictr('start', 'once'))), [fine])
      assert.match(await succeed('ps'), / Up .* once$/m)
      assert.match(await succeed('exec', 'once', 'cat', '/count'), /^started$/)
      assert.equal(countOf(id), 1)
      assert.equal(timesTold(id, 'start'), 1)
      await succeed('rm', '-f', 'once')
      assert.equal(timesTold(id, 'die'), 1)
    }
  })

  it('start and rm: it runs, or is gone', async () => {
    for (let round = 0; round < 6; round++) {
      await succeed('create', '--name', 'either', ...unnetworked, store.image, 'sleep', '1000')
      const [started, gone] = await Promise.all([minictr('start', 'either'), minictr('rm', 'either')])
      assertEach([started], [fine, { status: 1, stderr: noSuchContainer }])
      const isRunning = /^minictr: cannot remove container "\/either": container is running: /
      assertEach([gone], [fine, { status: 1, stderr: isRunning }])
      assert.notEqual(started.status, gone.status, started.stderr)
      assert.equal((await succeed('ps', '-a')).includes('either'), gone.status !== 0)
      await succeed('rm', '-f', 'either')
    }
  })

  it('start and rm -f: it is gone', async () => {
    for (let round = 0; round < 4; round++) {
      await succeed('create', '--name', 'gone', ...unnetworked, store.image, 'sleep', '1000')
      const [started, gone] = await Promise.all([minictr('start', 'gone'), minictr('rm', '-f', 'gone')])
      assertEach([started], [fine, { status: 1, stderr: noSuchContainer }])
      assertEach([gone], [fine])
      assert.doesNotMatch(await succeed('ps', '-a'), /gone/)
    }
  })

  it('stops and restarts: it runs once, or not at all', async () => {
    const id = await succeed('run', '-d', '--name', 'both', ...unnetworked, store.image, ...counted)
    for (let round = 0; round < 4; round++) {
      const outcomes = await Promise.all([
        ...times(2, () => minictr('stop', '-t', '0', 'both')),
        ...times(2, () => minictr('restart', '-t', '0', 'both')),
      ])
      assertEach(outcomes, [fine])
      const isUp = / Up .* both$/m.test(await succeed('ps', '-a'))
      if (!isUp) assert.match(await succeed('ps', '-a'), / Exited \(137\) .* both$/m)
      assert.equal(timesTold(id, 'start') - timesTold(id, 'die'), isUp ? 1 : 0)
      assert.equal(countOf(id), timesTold(id, 'start'))
    }
    await succeed('rm', '-f', 'both')
  })

  for (const flags of [[], ['--rm']]) {
    it(`rm -f and its own end${flags.length ? ', where it goes at that' : ''}`, async () => {
      for (let round = 0; round < 4; round++) {
        const run = [
          'run',
          '-d',
          ...flags,
          '--name',
          'ends',
          ...unnetworked,
          store.image,
          'sleep',
          `0.${round}`,
        ]
        const id = await succeed(...run)
        assertEach(await Promise.all(times(3, () => minictr('rm', '-f', 'ends'))), removed)
        assert.equal(timesTold(id, 'die'), 1)
        assert.equal(timesTold(id, 'destroy'), 1)
      }
    })
  }

  it('ten execs and a stop', async () => {
    await succeed('run', '-d', '--name', 'entered', ...unnetworked, store.image, 'sleep', '1000')
    const execs = times(10, () => minictr('exec', 'entered', 'sleep', '0.3'))
    const [stopped, ...outcomes] = await Promise.all([minictr('stop', '-t', '0', 'entered'), ...execs])
    assertEach([stopped], [fine])
    const notRunning = /^minictr: Container (entered|[0-9a-f]{64}) is not running\n/
    assertEach(outcomes, [fine, { status: 137, stderr: /^$/ }, { status: 1, stderr: notRunning }])
    await succeed('rm', 'entered')
  })

  it('rmi and starts: the image stays as long as it is needed', async () => {
    await succeed('image', 'from-host', '--quiet', 'other', 'true')
    await succeed('create', '--name', 'kept', ...unnetworked, 'other', 'true')
    const starts = times(4, () => minictr('start', 'kept'))
    const runs = times(4, () => minictr('run', '--rm', '--pull', 'never', ...unnetworked, 'other', 'true'))
    const [untagged] = await Promise.all([minictr('rmi', '-f', 'other'), ...starts, ...runs])
    assert.equal(untagged.status, 0, untagged.stderr)
    assertEach(await Promise.all(starts), [fine])
    const gone = /No such image: other|Likely cause: the image was removed/
    assertEach(await Promise.all(runs), [fine, { status: 125, stderr: gone }])
    await succeed('start', '-a', 'kept')
    await succeed('rm', 'kept')
    await succeed('image', 'from-host', '--quiet', 'other', 'true')
    await succeed('rmi', 'other')
    assert.equal(namesIn(join(store.root, 'layers')).filter(name => !name.startsWith('.')).length, 1)
  })
})
