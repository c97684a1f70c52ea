// The plans that end and remove containers: in which order, with which signals, and what is undone behind the end.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { freezerOf } from '../../../src/runtime/freezer.ts'
import type { Op } from '../../../src/runtime/op.ts'
import { shellTwin } from '../../../src/runtime/ops.ts'
import type { Plan, Undo } from '../../../src/runtime/step.ts'
import { undoesOf, undoStep } from '../../../src/runtime/steps/undo.ts'
import {
  joinedPlan,
  removePlan,
  type StopContext,
  signalPlan,
  stopPlan,
} from '../../../src/runtime/stop-plan.ts'
import { plan as runPlan } from '../learn/subject.ts'
import { hybridHost, unifiedHost } from './hosts.ts'

const undo: Undo[] = [
  { step: 'create-cgroup', undo: [{ op: 'remove_cgroup', path: '/sys/fs/cgroup/minictr/c0ffee' }] },
  { step: 'journal', undo: [{ op: 'remove_tree', path: '/run/minictr/c0ffee', tolerate: ['ENOENT'] }] },
]

const context: StopContext = {
  containerId: 'c0ffee',
  command: 'stop',
  process: { pid: 77, startTimeTicks: '123' },
  signal: 'SIGTERM',
  timeoutMs: 10_000,
  freezer: freezerOf('/minictr/c0ffee', hybridHost),
  isToBeThawed: false,
  cleanerFile: '/run/minictr/c0ffee/cleaner',
  socket: '/run/minictr/c0ffee/attach.sock',
  lockFile: '/var/lib/minictr/containers/c0ffee/lock',
  undo,
}

const idsOf = ({ steps }: Plan) => steps.map(({ id }) => id)
const opsOf = ({ steps }: Plan, id: string): Op[] => steps.find(step => step.id === id)?.ops ?? []
const names = (ops: Op[]) => ops.map(({ op }) => op)

const thawing: Op = {
  op: 'write_file',
  path: '/sys/fs/cgroup/freezer/minictr/c0ffee/freezer.state',
  content: 'THAWED',
  how: 'existing',
  tolerate: ['ENOENT', 'ENODEV'],
}

describe('the plan of a stop', () => {
  it('asks, kills, awaits the record, and undoes under the lock, the journal last', () => {
    assert.deepEqual(idsOf(stopPlan(context)), [
      ...['announce-end', 'find-process', 'ask-to-end', 'kill-process', 'await-record'],
      ...['lock-container', 'undo-create-cgroup', 'remove-run-directory'],
    ])
  })

  it('awaits the record only while the monitor is there, where it is known which that is', () => {
    const monitor = { pid: 76, startTimeTicks: '122' }
    assert.deepEqual(opsOf(stopPlan({ ...context, monitor }), 'await-record').slice(0, 1), [
      { op: 'open_process', ...monitor, as: 'monitor', tolerate: ['ESRCH'] },
    ])
    assert.partialDeepStrictEqual(opsOf(stopPlan({ ...context, monitor }), 'await-record')[1], {
      remover: { slot: 'monitor', pid: 76 },
      tolerate: ['ETIMEDOUT', 'ESRCH'],
    })
    assert.deepEqual(names(opsOf(stopPlan(context), 'await-record')), ['await_absence'])
  })

  it('does not ask where the signal is SIGKILL', () => {
    assert.ok(!idsOf(stopPlan({ ...context, signal: 'SIGKILL' })).includes('ask-to-end'))
  })

  it('waits as long as it is told, at most as long as poll(2) can', () => {
    const waits = (timeoutMs: number) =>
      opsOf(stopPlan({ ...context, timeoutMs }), 'ask-to-end').find(({ op }) => op === 'await_exit')
    assert.partialDeepStrictEqual(waits(1500), { timeoutMs: 1500 })
    assert.partialDeepStrictEqual(waits(Number.POSITIVE_INFINITY), { timeoutMs: 2 ** 31 - 1 })
  })

  it('lets the processes of a paused container go on with the signal, and always before they are to die', () => {
    assert.deepEqual(names(opsOf(stopPlan(context), 'ask-to-end')), ['signal_process', 'await_exit'])
    const paused = stopPlan({ ...context, isToBeThawed: true })
    assert.deepEqual(opsOf(paused, 'ask-to-end')[1], thawing)
    assert.deepEqual(opsOf(stopPlan(context), 'kill-process')[1], thawing)
  })

  it('is data, the same for the same input, and performed on the host alone', () => {
    assert.deepEqual(
      JSON.parse(JSON.stringify(stopPlan(context))),
      JSON.parse(JSON.stringify(stopPlan(context))),
    )
    for (const { side } of stopPlan(context).steps) assert.equal(side, 'host')
  })

  it('has a reason for every step, and says how each is undone', () => {
    for (const { id, why, undo } of stopPlan(context).steps) {
      assert.ok(why.length > 40, id)
      assert.ok('kernel' in undo && undo.kernel !== '', id)
    }
  })
})

describe('the plan of a signal', () => {
  it('finds the process and sends it, no more', () => {
    const plan = signalPlan({ ...context, signal: 'SIGHUP' })
    assert.equal(plan.command, 'kill')
    assert.deepEqual(
      plan.steps.flatMap(({ ops }) => names(ops)),
      ['open_process', 'signal_process'],
    )
  })

  it('thaws where that is asked', () => {
    assert.deepEqual(opsOf(signalPlan({ ...context, isToBeThawed: true }), 'send-signal')[1], thawing)
  })
})

describe('the plan of a removal', () => {
  it('is the lock and what is undone', () => {
    assert.deepEqual(idsOf(removePlan({ ...context, undo: undo.slice(0, 1) })), [
      'lock-container',
      'undo-create-cgroup',
    ])
  })
})

describe('a step that undoes another', () => {
  it('has its name, and the acts that the step or the journal has', () => {
    const steps = undoesOf(runPlan.steps).map(undoStep)
    assert.deepEqual(
      steps.map(({ id, ops }) => ({ id, ops })),
      [{ id: 'undo-create-cgroup', ops: runPlan.steps[0]!.undo }],
    )
  })

  it('has a reason of its own, where it is known, and for the second volume that of the first', () => {
    const why = (step: string) => undoStep({ step, undo: [] }).why
    assert.equal(why('create-volume-2'), why('create-volume'))
    assert.notEqual(why('create-volume'), why('create-cgroup'))
    assert.match(why('dig-tunnel'), /What the step dig-tunnel made is taken back/)
  })
})

describe('one plan of two', () => {
  it('has the steps of both, each id once', () => {
    const stop = stopPlan(context)
    const start: Plan = { containerId: 'c0ffee', command: 'start', steps: [stop.steps[5]!, ...runPlan.steps] }
    const joined = joinedPlan('restart', stop, start)
    const ids = idsOf(joined)
    assert.equal(joined.command, 'restart')
    assert.deepEqual(ids.slice(0, 8), idsOf(stop))
    assert.equal(ids[8], 'lock-container-again')
    assert.deepEqual(ids, [...new Set(ids)])
    assert.equal(ids.length, stop.steps.length + start.steps.length)
  })
})

describe('the freezer of a host', () => {
  it('is that of v1 where there is one, else v2’s', () => {
    assert.deepEqual(freezerOf('/minictr/x', hybridHost), {
      path: '/sys/fs/cgroup/freezer/minictr/x/freezer.state',
      frozen: 'FROZEN',
      thawed: 'THAWED',
      statePath: '/sys/fs/cgroup/freezer/minictr/x/freezer.state',
      frozenLine: 'FROZEN',
      thawedLine: 'THAWED',
    })
    assert.deepEqual(freezerOf('/minictr/x', unifiedHost), {
      path: '/sys/fs/cgroup/minictr/x/cgroup.freeze',
      frozen: '1',
      thawed: '0',
      statePath: '/sys/fs/cgroup/minictr/x/cgroup.events',
      frozenLine: 'frozen 1',
      thawedLine: 'frozen 0',
    })
  })
})

describe('the shell twins of ending a process', () => {
  const twin = (op: Op) => (shellTwin(op) as { run: string }).run

  it('take names that a shell knows, and numbers for all others', () => {
    const signal = (text: string) => twin({ op: 'signal_process', slot: 'x', pid: 7, signal: text })
    assert.equal(signal('SIGTERM'), 'kill -s TERM 7')
    assert.equal(signal('SIGRTMIN+3'), 'kill -37 7')
    assert.equal(signal('10'), 'kill -10 7')
  })

  it('do not wait for ever where no time is given', () => {
    assert.match(twin({ op: 'await_exit', slot: 'x', pid: 7, timeoutMs: 0 }), /^timeout 0\.001 tail /)
  })

  it('hold the cleaner’s lock beside that of the container, or the monitor would clean up as well', () => {
    const descriptors = stopPlan(context).steps.flatMap(({ ops }) =>
      ops.flatMap(op => (op.op === 'lock' ? /exec (\d)>/.exec(twin(op))![1] : [])),
    )
    assert.deepEqual(descriptors, ['7', '9'])
  })

  it('end where the process is another one, and go on where a lock is none', () => {
    const find = { op: 'open_process' as const, pid: 7, startTimeTicks: '9', as: 'x' }
    assert.equal(twin({ ...find, tolerate: ['ESRCH'] }), twin(find))
    const lock = { op: 'lock' as const, path: '/d/lock', waitMs: 0, as: 'x' }
    assert.equal(
      twin({ ...lock, tolerate: ['EAGAIN', 'ENOENT'] }),
      'if [ -d /d ]; then\n  exec 9>/d/lock\n  flock -w 0 9 || true\nfi',
    )
  })
})
