// Times of a run, as a table and as a trace: figures where they belong, sums that agree.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Measurements } from '../../../src/learn/measurements.ts'
import { plainPage } from '../../../src/learn/page.ts'
import { timingText } from '../../../src/learn/timing.ts'
import { type TraceEvent, traceText } from '../../../src/learn/trace.ts'
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
})

describe('the table of times', () => {
  const table = timingText(measured(), plan, plainPage)

  it('has a row for each step and for each call, as performed', () => {
    const rows = table.split('\n').map(line => line.trim())
    const at = (row: RegExp) => rows.findIndex(each => row.test(each))
    assert.equal(
      rows[at(/^30\.0 +1\/13 +create-cgroup +host$/) + 1],
      '30.0      mkdir("/sys/fs/cgroup/minictr/$ID", 0755)',
    )
    assert.ok(at(/^50\.0 +3\/13 +unshare-mount-namespace +container$/) > at(/spawn-init/))
    assert.ok(at(/^40\.0 +mount\(NULL, "\/"/) > at(/^10\.0 +unshare\(CLONE_NEWNS\)/))
  })

  it('ends with the native part, Node’s part and the total', () => {
    const [native, node, total] = table.split('\n').slice(-3)
    assert.match(native!, /^ +380\.5 {2}in 5 calls/)
    assert.match(node!, /^ +2119\.5 {2}in Node: 1000 before the first step, 1120 between steps/)
    assert.match(total!, /^ +2500\.0 {2}from the start of minictr/)
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
