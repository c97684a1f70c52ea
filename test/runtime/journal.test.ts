// The journal's first moment: a recovery that comes just then must not take a run directory for nobody's.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { leftToUndo } from '../../src/containers/end.ts'
import { recover } from '../../src/containers/recover.ts'
import { FurtherJournal, Journal } from '../../src/runtime/journal.ts'
import type { Op } from '../../src/runtime/op.ts'
import type { Step } from '../../src/runtime/step.ts'
import { identify } from '../../src/system/process-identity.ts'

const id = 'ab'.repeat(32)
const step: Step = {
  id: 'a-step',
  side: 'host',
  why: '',
  ops: [],
  undo: [{ op: 'rmdir', path: '/minictr-has-no-such-directory', tolerate: ['ENOENT'] }],
  lasts: 'run',
}

function roots(t: TestContext) {
  const base = mkdtempSync(join(tmpdir(), 'minictr-journal-'))
  t.after(() => rmSync(base, { recursive: true }))
  return { root: join(base, 'root'), runRoot: join(base, 'run') }
}

test('a run directory has the container’s id only when it is whole; what could not be written is taken away', t => {
  const { runRoot } = roots(t)
  const module = join(import.meta.dirname, '../../src/runtime/journal.ts')
  // No file may get any content: the process stops being able to go on where the journal is to be written.
  const script = [
    `import { Journal } from ${JSON.stringify(module)}`,
    `process.on('SIGXFSZ', () => {})`,
    `new Journal(${JSON.stringify(join(runRoot, id))}, { pid: 1, startTimeTicks: '2' })`,
    `  .record(JSON.parse(${JSON.stringify(JSON.stringify([step]))}))`,
  ]
  const limited = ['-c', 'ulimit -f 0; exec "$@"', 'sh']
  const node = [process.execPath, '--input-type=module-typescript', '-e', script.join('\n')]
  const { stderr } = spawnSync('sh', [...limited, ...node], { encoding: 'utf8' })
  assert.match(stderr, /EFBIG/)
  assert.deepEqual(readdirSync(runRoot), [])
})

test('of two runs of a container one has the run directory, and what the other wrote is not undone', async t => {
  const both = roots(t)
  const directory = join(both.runRoot, id)
  const living = identify(process.pid)!
  const kept = join(both.runRoot, 'kept')
  mkdirSync(kept, { recursive: true })
  const undo: Op[] = [{ op: 'rmdir', path: kept }]
  new Journal(directory, living).record([{ ...step, undo }])
  const other = { pid: 1, startTimeTicks: '2' }
  assert.throws(() => new Journal(directory, other).record([{ ...step, undo }]), { code: 'ENOTEMPTY' })
  // Nor where it was killed before it could take it away.
  cpSync(directory, `${directory}.new-1-2`, { recursive: true })
  assert.deepEqual(await recover({ ...both, configFile: '' }), [])
  assert.deepEqual(readdirSync(both.runRoot).sort(), [id, 'kept'])
})

test('what is half begun stays while its owner runs, and goes with the next recovery when it has ended', async t => {
  const both = roots(t)
  const { pid, startTimeTicks } = identify(process.pid)!
  const living = `${id}.new-${pid}-${startTimeTicks}`
  for (const name of [living, `${id}.new-${pid}-1`, `${id}.new`]) {
    mkdirSync(join(both.runRoot, name), { recursive: true })
  }
  assert.deepEqual(await recover({ ...both, configFile: '/dev/null' }), [])
  assert.deepEqual(readdirSync(both.runRoot), [living])
})

test('a line that was cut short takes nothing from the others', t => {
  const { runRoot } = roots(t)
  const directory = join(runRoot, id)
  const journal = new Journal(directory, identify(process.pid))
  journal.record([step])
  appendFileSync(join(directory, 'journal'), '{"step":"torn","undo":[')
  assert.deepEqual(
    journal.read().map(entry => entry.step),
    ['a-step'],
  )
  journal.record([{ ...step, id: 'another-step' }])
  assert.deepEqual(
    journal.read().map(entry => entry.step),
    ['a-step', 'another-step'],
  )
})

test('the journal is read as it was written, in as many parts as it was', t => {
  const { runRoot } = roots(t)
  const owner = identify(process.pid)!
  const journal = new Journal(join(runRoot, id), owner)
  journal.record([step])
  journal.record([{ ...step, id: 'another-step' }])
  const read = new Journal(join(runRoot, id))
  assert.deepEqual(read.owner(), owner)
  assert.deepEqual(
    read.read().map(entry => entry.step),
    ['a-step', 'another-step'],
  )
  assert.deepEqual(readdirSync(runRoot), [id])
})

test('a further journal adds lines to one that is there, and undoes and forgets those alone', t => {
  const { runRoot } = roots(t)
  const directory = join(runRoot, id)
  const first = new Journal(directory, identify(process.pid)!)
  first.record([step])
  const further = new FurtherJournal(directory)
  assert.deepEqual(further.read(), [])
  further.record([
    { ...step, id: 'a-later-step' },
    { ...step, id: 'a-step-of-the-kernel', undo: { kernel: '' } },
  ])
  const stepsIn = (journal: Journal) => journal.read().map(entry => entry.step)
  assert.deepEqual(stepsIn(further), ['a-later-step'])
  assert.deepEqual(stepsIn(first), ['a-step', 'a-later-step'])
  assert.deepEqual(further.forgetting(), [])
})

test('what was begun besides is unfinished until it is over, with the entries behind its beginning', t => {
  const { runRoot } = roots(t)
  const directory = join(runRoot, id)
  const owner = identify(process.pid)!
  new Journal(directory, owner).record([step])
  const look = () => new Journal(directory).state()
  assert.deepEqual(look(), { owner })
  const act = {
    command: 'network connect',
    subject: 'ef'.repeat(32),
    maker: owner,
    inside: { pid: 1, startTimeTicks: '2' },
  }
  const further = new FurtherJournal(directory)
  further.begin(act)
  further.record([
    { ...step, id: 'on-the-host' },
    { ...step, id: 'inside', side: 'container' },
    { ...step, id: 'made-outside', undoneBy: 'container' },
  ])
  const { unfinished } = look()
  assert.deepEqual({ ...act, entries: unfinished!.entries }, unfinished)
  assert.deepEqual(
    unfinished!.entries.map(({ step, side }) => [step, side]),
    [
      ['on-the-host', undefined],
      ['inside', 'container'],
      ['made-outside', 'container'],
    ],
  )
  further.over()
  assert.deepEqual(look(), { owner })
  new FurtherJournal(directory).begin({ ...act, subject: 'another' })
  assert.deepEqual(look().unfinished, { ...act, subject: 'another', entries: [] })
  rmSync(directory, { recursive: true })
  further.over()
  assert.deepEqual(readdirSync(runRoot), [])
})

test('a further journal begins none where the container has gone meanwhile', t => {
  const { runRoot } = roots(t)
  assert.throws(() => new FurtherJournal(join(runRoot, id)).record([step]), { code: 'ENOENT' })
  assert.deepEqual(readdirSync(join(runRoot, '..')), [])
})

test('what was done to a container besides its run is not undone for one that is half removed', async t => {
  const both = roots(t)
  const directory = join(both.runRoot, id)
  const owner = identify(process.pid)!
  new Journal(directory, owner).record([{ ...step, id: 'made', lasts: 'container' }, step])
  const further = new FurtherJournal(directory)
  further.begin({ command: 'network connect', subject: id, maker: owner, inside: owner })
  further.record([
    { ...step, id: 'moved', lasts: 'container' },
    { ...step, id: 'linked' },
  ])
  const left = await leftToUndo({ ...both, configFile: '' }, id, undefined)
  assert.deepEqual(
    left.map(entry => entry.step),
    ['linked', 'a-step', 'made'],
  )
})
