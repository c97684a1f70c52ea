// A run as a picture of time, for Perfetto or chrome://tracing: a track for Node, one for the host, one for the container.

import { explainStep } from './explanation.ts'
import { kernelUs, type Measured, type Measurements } from './measurements.ts'

const PROCESS = 1
const tracks = { node: 1, host: 2, container: 3 } as const
const trackNames = { node: 'Node: minictr', host: 'host: the monitor', container: 'container: init' }

/** Trace Event Format (Google): a complete event for each step and each call, times in microseconds. */
export type TraceEvent = {
  name: string
  ph: 'X' | 'M'
  pid: number
  tid: number
  ts?: number
  dur?: number
  cat?: string
  args?: object
}

/** The content of the trace file. */
export function traceText(measured: Measurements): string {
  const traceEvents = [
    named('process_name', tracks.node, 'minictr'),
    ...Object.entries(tracks).map(([track, tid]) =>
      named('thread_name', tid, trackNames[track as keyof typeof tracks]),
    ),
    ...planning(measured.steps),
    ...measured.steps.flatMap(stepEvents),
  ]
  return `${JSON.stringify({ displayTimeUnit: 'ns', traceEvents })}\n`
}

function named(name: 'process_name' | 'thread_name', tid: number, text: string): TraceEvent {
  return { name, ph: 'M', pid: PROCESS, tid, args: { name: text } }
}

/** Node's own work: before the first message, and from each answer to the next message. */
function planning(steps: Measured[]): TraceEvent[] {
  const events: TraceEvent[] = []
  let freeUs = 0
  for (const step of steps) {
    const isFirst = freeUs === 0
    if (step.startUs > freeUs) {
      const name = isFirst ? 'start and plan' : 'next message'
      events.push(complete(name, 'node', tracks.node, freeUs, step.startUs - freeUs, {}))
    }
    freeUs = Math.max(freeUs, step.answeredUs)
  }
  return events
}

function stepEvents(measured: Measured): TraceEvent[] {
  const { step, startUs, opElapsedNs, index } = measured
  const tid = tracks[step.side]
  const { why, ops } = explainStep(step)
  const args = { number: index + 1, why }
  const events = [complete(step.id, 'step', tid, startUs, kernelUs(measured), args)]
  let atUs = startUs
  for (const [at, ns] of opElapsedNs.entries()) {
    const { op, call, manual } = ops[at]!
    events.push(complete(op.op, 'call', tid, atUs, ns / 1000, { call, manual }))
    atUs += ns / 1000
  }
  return events
}

function complete(name: string, cat: string, tid: number, ts: number, dur: number, args: object): TraceEvent {
  return { name, cat, ph: 'X', pid: PROCESS, tid, ts: round(ts), dur: round(dur), args }
}

/** To the nanosecond, without the noise of binary fractions. */
function round(us: number): number {
  return Math.round(us * 1000) / 1000
}
