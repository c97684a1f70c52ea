// Times of a run, as lines and as a trace: figures where they belong, sums that agree.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Measurements } from '../../../src/learn/measurements.ts'
import { plainPage } from '../../../src/learn/page.ts'
import { TimingLines } from '../../../src/learn/timing.ts'
import { type TraceEvent, traceText } from '../../../src/learn/trace.ts'
import type { Op } from '../../../src/runtime/op.ts'
import { plan, steps } from './subject.ts'

/** Two messages: the two host steps sent at 1000 µs, two container steps sent at 2000 µs; answers 500 µs later. */
function measured(): Measurements {
  let now = 0n
  const measurements = new Measurements(0n, () => now)
  const add = (index: number, startedNs: bigint, opElapsedNs: number[]) => {
    now = startedNs + 500_000n
    measurements.add({ step: steps[index]!, index, total: steps.length, startedNs, opElapsedNs, pid: 7 })
  }
  add(0, 1_000_000n, [30_000])
  add(1, 1_000_000n, [200_500])
  add(2, 2_000_000n, [10_000, 40_000])
  add(3, 2_000_000n, [100_000])
  return measurements
}

describe('the measurements of a run', () => {
  it('lay the steps of one message one after the other', () => {
    assert.deepEqual(
      measured().steps.map(({ startUs }) => startUs),
      [1000, 1030, 2000, 2050],
    )
  })

  it('add up', () => {
    assert.equal(measured().kernelUs, 380.5)
    assert.equal(measured().totalUs, 2500)
  })

  it('leave out what was done for the watching', () => {
    let now = 1_000n
    const measurements = new Measurements(0n, () => now)
    const add = (index: number, startedNs: bigint) =>
      measurements.add({ step: steps[index]!, index, total: 4, startedNs, opElapsedNs: [10_000], pid: 7 })
    add(0, 1_000n)
    measurements.leaveOut(() => {
      now += 5_000_000n
    })
    add(1, 1_000n)
    now += 9_000n
    add(2, 5_003_000n)
    assert.deepEqual(
      measurements.steps.map(({ startUs, answeredUs }) => [startUs, answeredUs]),
      [
        [1, 1],
        [11, 1],
        [3, 10],
      ],
    )
  })
})

describe('the measurements of a message that was begun ahead', () => {
  it('have the time in which it was under way, whatever was done for the watching', () => {
    let now = 2_000_000n
    const measurements = new Measurements(0n, () => now)
    const add = (index: number, startedNs: bigint) =>
      measurements.add({ step: steps[index]!, index, total: 4, startedNs, opElapsedNs: [500_000], pid: 7 })
    add(0, 1_000_000n)
    measurements.leaveOut(() => {
      now += 700_000n
    })
    now += 100_000n
    const { startUs, answeredUs } = add(1, 2_000_000n)
    assert.deepEqual([startUs, answeredUs], [2000, 2800])
  })
})

describe('the lines of times', () => {
  /** A run of the whole plan: four steps as measured, then the others in a third message. */
  function told(opElapsedNs: number[]): { rows: string[]; sum: string[] } {
    const measurements = measured()
    const lines = new TimingLines(plan, plainPage)
    const rows = measurements.steps.flatMap(step => lines.step(step))
    for (const [index, step] of steps.entries()) {
      if (index < 4) continue
      const answered = index === steps.length - 1 ? opElapsedNs : step.ops.map(() => 0)
      const about = { step, index, total: steps.length, startedNs: 2_000_000n, opElapsedNs: answered, pid: 7 }
      rows.push(...lines.step(measurements.add(about)))
    }
    const undone = { step: 'create-cgroup', ops: steps[0]!.undo as Op[], opElapsedNs: [20_000] }
    measurements.addUndone(undone)
    rows.push(...lines.undone(undone))
    return { rows: rows.map(line => line.trim()), sum: lines.sum(measurements) }
  }

  it('are one for each step and for each call, as performed', () => {
    const { rows } = told([])
    const at = (row: RegExp) => rows.findIndex(each => row.test(each))
    assert.equal(
      rows[at(/^30\.0 +1\/13 +create-cgroup +host$/) + 1],
      '30.0      mkdir("/sys/fs/cgroup/minictr/$ID", 0755)',
    )
    assert.ok(at(/^50\.0 +3\/13 +unshare-mount-namespace +container$/) > at(/spawn-init/))
    assert.ok(at(/^40\.0 +mount\(NULL, "\/"/) > at(/^10\.0 +unshare\(CLONE_NEWNS\)/))
  })

  it('tell first what was before the first step, and last what was undone', () => {
    const { rows } = told([])
    assert.match(rows[1]!, /^1000\.0 +Node starts/)
    assert.deepEqual(rows.slice(-2), [
      '20.0  undo  create-cgroup  host',
      '20.0      rmdir("/sys/fs/cgroup/minictr/$ID")',
    ])
  })

  it('say nothing of the steps behind one that failed', () => {
    const lines = new TimingLines(plan, plainPage)
    const [first, second, third] = measured().steps
    lines.step(first!)
    assert.match(lines.step({ ...third!, opElapsedNs: [10_000] }).join('\n'), /unshare-mount-namespace/)
    assert.deepEqual(lines.step(second!), [])
  })

  it('end with the native part, Node’s part, the total and the undoing', () => {
    const [, native, node, total, undoing] = told([]).sum
    assert.match(native!, /^ +380\.5 {2}in \d+ calls/)
    assert.match(node!, /^ +2119\.5 {2}in Node: 1000 before the first step, 1120 between steps/)
    assert.match(total!, /^ +2500\.0 {2}from the start of minictr to the start of the program$/)
    assert.match(undoing!, /^ +20\.0 {2}in 1 call that undid it$/)
  })

  it('do not say that a program started that did not', () => {
    assert.match(told([0]).sum[3]!, /from the start of minictr to the last step$/)
  })
})

describe('the trace', () => {
  const { traceEvents } = JSON.parse(traceText(measured())) as { traceEvents: TraceEvent[] }
  const track = (name: string) =>
    traceEvents.find(({ ph, args }) => ph === 'M' && JSON.stringify(args).includes(name))?.tid

  it('has the host and the container as tracks of their own', () => {
    const tracks = [track('host: the monitor'), track('container: init')]
    assert.equal(new Set(tracks).size, 2)
    const tidOf = (name: string) => traceEvents.find(event => event.name === name && event.ph === 'X')?.tid
    assert.deepEqual([tidOf('create-cgroup'), tidOf('mount-overlay')], tracks)
  })

  it('has a complete event for each step and each call, within its step', () => {
    const complete = traceEvents.filter(({ ph }) => ph === 'X')
    const step = complete.find(({ name }) => name === 'unshare-mount-namespace')!
    const calls = complete.filter(
      ({ cat, ts }) => cat === 'call' && ts! >= step.ts! && ts! < step.ts! + step.dur!,
    )
    assert.deepEqual(
      calls.map(({ name, ts, dur }) => [name, ts, dur]),
      [
        ['unshare', 2000, 10],
        ['mount', 2010, 40],
      ],
    )
    assert.deepEqual([step.ts, step.dur], [2000, 50])
  })

  it('shows when Node was at work', () => {
    const node = traceEvents.filter(({ cat }) => cat === 'node')
    assert.deepEqual(
      node.map(({ name, ts, dur }) => [name, ts, dur]),
      [
        ['start and plan', 0, 1000],
        ['next message', 1500, 500],
      ],
    )
  })
})
