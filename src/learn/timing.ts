// Where the time of a run goes, told while it happens: each step and each of its calls with their microseconds.

import type { Op } from '../runtime/op.ts'
import { showOp } from '../runtime/ops.ts'
import type { UndoReport } from '../runtime/perform.ts'
import type { Plan } from '../runtime/step.ts'
import { type Abbreviation, abbreviate, abbreviationsOf } from './abbreviations.ts'
import { kernelUs, type Measured, type Measurements } from './measurements.ts'
import { type Page, shorten } from './page.ts'

const NUMBER_COLUMNS = 11

/** The lines about one run, in the order in which things happen. */
export class TimingLines {
  private readonly names: Abbreviation[]
  private readonly page: Page
  private isFirst = true
  private hasEnded = false
  /** Of a program that could not be started there is an answer. */
  private hasStarted = false

  constructor(plan: Plan, page: Page) {
    this.names = abbreviationsOf(plan)
    this.page = page
  }

  /**
   * A step that was answered, with its calls; before the first of them, what Node did until then. Nothing for the steps
   * behind the one that became the program, or failed: they were only sent.
   */
  step(measured: Measured): string[] {
    const { step, index, total, startUs, opElapsedNs } = measured
    if (this.hasEnded) return []
    this.hasEnded = opElapsedNs.length < step.ops.length
    this.hasStarted = this.hasEnded && index + 1 === total
    const { strong, faint } = this.page.style
    const number = `${String(index + 1).padStart(String(total).length)}/${total}`
    const lines = [
      row(kernelUs(measured), `${number}  ${strong(step.id)}  ${faint(step.side)}`),
      ...this.calls(step.ops, opElapsedNs),
    ]
    if (!this.isFirst) return lines
    this.isFirst = false
    const before = row(startUs, 'Node starts, reads the image and the options, and makes the plan')
    return ['µs'.padStart(NUMBER_COLUMNS), before, ...lines]
  }

  /** What was taken back, after the program's end or a failure. */
  undone(report: UndoReport): string[] {
    const { strong, faint } = this.page.style
    return [
      row(kernelUs(report), `undo  ${strong(report.step)}  ${faint('host')}`),
      ...this.calls(report.ops.slice(0, report.opElapsedNs.length), report.opElapsedNs),
    ]
  }

  /** What all of it came to; nothing where nothing was performed. */
  sum(measured: Measurements): string[] {
    const { steps, undone, totalUs } = measured
    const { strong, faint } = this.page.style
    if (steps.length === 0) return []
    const beforeUs = steps[0]!.startUs
    const betweenUs = totalUs - beforeUs - measured.kernelUs
    const undoneUs = undone.reduce((sum, report) => sum + kernelUs(report), 0)
    return [
      faint('-'.repeat(NUMBER_COLUMNS)),
      row(measured.kernelUs, `in ${countCalls(steps)}, measured by the processes that made them`),
      row(
        beforeUs + betweenUs,
        `in Node: ${Math.round(beforeUs)} before the first step, ${Math.round(betweenUs)} between steps`,
      ),
      row(
        totalUs,
        strong(
          `from the start of minictr to ${this.hasStarted ? 'the start of the program' : 'the last step'}`,
        ),
      ),
      ...(undone.length > 0 ? [row(undoneUs, `in ${countCalls(undone)} that undid it`)] : []),
    ]
  }

  private calls(ops: Op[], opElapsedNs: number[]): string[] {
    const { faint, call } = this.page.style
    return ops.map((op, at) => {
      const ns = opElapsedNs[at]
      const shown = shorten(abbreviate(showOp(op), this.names), this.page.columns - NUMBER_COLUMNS - 6)
      return `${faint(microseconds(ns === undefined ? undefined : ns / 1000))}      ${call(shown)}`
    })
  }
}

function countCalls(reports: { opElapsedNs: number[] }[]): string {
  const calls = reports.reduce((sum, { opElapsedNs }) => sum + opElapsedNs.length, 0)
  return calls === 1 ? '1 call' : `${calls} calls`
}

function row(us: number, text: string): string {
  return `${microseconds(us)}  ${text}`
}

/** With one decimal, in a column; nothing where there is no figure, as for a program that has started. */
function microseconds(us: number | undefined): string {
  return (us === undefined ? '' : us.toFixed(1)).padStart(NUMBER_COLUMNS)
}
