// Watching a run happen: asked at each step, timed, traced, or all of these, through one observer.

import { writeFileSync } from 'node:fs'
import type { Observer, StepReport } from '../runtime/perform.ts'
import type { Plan } from '../runtime/step.ts'
import { MinictrError } from '../system/error.ts'
import { type Measurements, newMeasurements } from './measurements.ts'
import { pageFor } from './page.ts'
import type { StepByStep } from './step.ts'

export type Watching = { step: boolean; timing: boolean; traceFile?: string }

/** An observer, and what is left to be said when the run has ended, well or not. */
export type Watch = { observer: Observer; finish(): Promise<void> }

/**
 * The observer for what the options ask for. `finish` prints the table of times on standard error and writes the trace.
 * Throws MinictrError where there is no terminal to ask on.
 */
export async function watchRun(options: Watching): Promise<Watch> {
  const asking = options.step ? await stepByStep() : undefined
  const measurements = options.timing || options.traceFile !== undefined ? newMeasurements() : undefined
  let plan: Plan | undefined
  return {
    observer: {
      begin(whole) {
        plan = whole
        asking?.begin(whole)
      },
      ...(asking && { before: asking.before.bind(asking) }),
      after(report: StepReport) {
        measurements?.add(report)
        asking?.after(report)
      },
    },
    async finish() {
      asking?.end()
      if (plan !== undefined && measurements !== undefined) await tell(measurements, plan, options)
    },
  }
}

async function stepByStep(): Promise<StepByStep> {
  const { Terminal } = await import('./terminal.ts')
  const { StepByStep } = await import('./step.ts')
  const terminal = new Terminal()
  return new StepByStep(terminal, pageFor(terminal.output, process.env))
}

async function tell(measurements: Measurements, plan: Plan, options: Watching): Promise<void> {
  if (options.timing) {
    const { timingText } = await import('./timing.ts')
    process.stderr.write(`${timingText(measurements, plan, pageFor(process.stderr, process.env))}\n`)
  }
  if (options.traceFile === undefined) return
  const { traceText } = await import('./trace.ts')
  try {
    writeFileSync(options.traceFile, traceText(measurements))
  } catch (cause) {
    throw new MinictrError(`the trace cannot be written: ${(cause as Error).message}`, { cause })
  }
}
