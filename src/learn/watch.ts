// Watching a run happen: asked at each step, timed, traced, or all of these, through one observer.

import { closeSync, openSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import type { Observer } from '../runtime/perform.ts'
import { MinictrError } from '../system/error.ts'
import { type Measurements, newMeasurements } from './measurements.ts'
import { pageFor } from './page.ts'
import type { StepByStep } from './step.ts'
import { TimingLines } from './timing.ts'

export type Watching = { step: boolean; timing: boolean; traceFile?: string }

/** An observer, and what is left to be said when the run has ended, well or not. */
export type Watch = { observer: Observer; finish(): Promise<void> }

/**
 * The observer for what the options ask for, whose loading began at `beganNs` of process.hrtime.bigint(). It prints the
 * times on standard error as they become known; `finish` prints their sum and writes the trace. Throws MinictrError
 * where there is no terminal to ask on, or the trace could not be written.
 */
export async function watchRun(options: Watching, beganNs: bigint): Promise<Watch> {
  if (options.traceFile !== undefined) checkTrace(options.traceFile)
  const asking = options.step ? await stepByStep() : undefined
  const isMeasured = options.timing || options.traceFile !== undefined
  const measurements = isMeasured ? newMeasurements() : undefined
  let lines: TimingLines | undefined
  let hasBegun = false
  measurements?.leaveOutSince(beganNs)
  return {
    observer: {
      begin(plan) {
        hasBegun = true
        if (options.timing) {
          lines = new TimingLines(plan, pageFor(process.stderr, process.env))
          // Whoever was to read it has left: that is no reason to end the container.
          process.stderr.on('error', () => {})
        }
        asking?.begin(plan)
      },
      ...(asking && { before: asking.before.bind(asking) }),
      after(report) {
        const measured = measurements?.add(report)
        if (lines && measured) measurements?.leaveOut(() => say(lines!.step(measured)))
        asking?.after(report)
      },
      undone(report) {
        measurements?.addUndone(report)
        if (lines) say(lines.undone(report))
      },
    },
    async finish() {
      asking?.end()
      if (lines && measurements) say(lines.sum(measurements))
      if (hasBegun && options.traceFile !== undefined) await writeTrace(options.traceFile, measurements!)
    },
  }
}

async function stepByStep(): Promise<StepByStep> {
  const { Terminal } = await import('./terminal.ts')
  const { StepByStep } = await import('./step.ts')
  const terminal = new Terminal()
  return new StepByStep(terminal, pageFor(terminal.output, process.env))
}

function say(lines: string[]): void {
  if (lines.length > 0) process.stderr.write(`${lines.join('\n')}\n`)
}

/** Opens the file for writing, so that what is wrong with it is told before anything is done. */
function checkTrace(path: string): void {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    // Whoever reads a pipe takes the first closing for its end.
    if (found?.isFIFO()) return
    closeSync(openSync(path, 'a'))
    if (!found) unlinkSync(path)
  } catch (cause) {
    throw traceError(cause as Error, 'Nothing has been done. Name a file in a directory that is there.')
  }
}

function traceError(cause: Error, remedy: string): MinictrError {
  return new MinictrError(`the trace cannot be written: ${cause.message}`, { remedy, cause })
}

async function writeTrace(path: string, measurements: Measurements): Promise<void> {
  const { traceText } = await import('./trace.ts')
  try {
    writeFileSync(path, traceText(measurements))
  } catch (cause) {
    throw traceError(cause as Error, 'What it was to show has been done; the trace alone is missing.')
  }
}
