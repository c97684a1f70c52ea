// Where the time of a run went: a table of microseconds, each step and each of its calls, as performed.

import { showOp } from '../runtime/ops.ts'
import type { Plan } from '../runtime/step.ts'
import { abbreviate, abbreviationsOf } from './abbreviations.ts'
import { kernelUs, type Measured, type Measurements } from './measurements.ts'
import { type Page, shorten } from './page.ts'

const NUMBER_COLUMNS = 11

/**
 * The table: Node's start and planning, then every step with its calls, then what all of it came to. Steps that the run
 * did not get to are not in it.
 */
export function timingText(measured: Measurements, plan: Plan, page: Page): string {
  const { strong, faint } = page.style
  const first = measured.steps[0]
  const row = (us: number | undefined, text: string) => `${microseconds(us)}  ${text}`
  const names = abbreviationsOf(plan)
  const rows = performed(measured.steps).flatMap(step => {
    const width = String(step.total).length
    const title = `${String(step.index + 1).padStart(width)}/${step.total}  ${strong(step.step.id)}  ${faint(step.step.side)}`
    return [row(kernelUs(step), title), ...callRows(step, names, page)]
  })
  const beforeUs = first?.startUs ?? 0
  const betweenUs = measured.totalUs - beforeUs - measured.kernelUs
  const calls = measured.steps.reduce((sum, { opElapsedNs }) => sum + opElapsedNs.length, 0)
  return [
    `${'µs'.padStart(NUMBER_COLUMNS)}`,
    row(beforeUs, 'Node starts, reads the image and the options, and makes the plan'),
    ...rows,
    faint(`${'-'.repeat(NUMBER_COLUMNS)}`),
    row(measured.kernelUs, `in ${calls} calls, measured by the processes that made them`),
    row(
      beforeUs + betweenUs,
      `in Node: ${Math.round(beforeUs)} before the first step, ${Math.round(betweenUs)} between steps`,
    ),
    row(measured.totalUs, strong('from the start of minictr to the start of the program')),
  ].join('\n')
}

/** The steps up to the first that has calls without an answer: the one that became the program, or that failed. */
function performed(steps: Measured[]): Measured[] {
  const last = steps.findIndex(({ step, opElapsedNs }) => opElapsedNs.length < step.ops.length)
  return last < 0 ? steps : steps.slice(0, last + 1)
}

function callRows(step: Measured, names: { name: string; value: string }[], page: Page): string[] {
  const { faint, call } = page.style
  return step.step.ops.map((op, at) => {
    const ns = step.opElapsedNs[at]
    const shown = call(shorten(abbreviate(showOp(op), names), page.columns - NUMBER_COLUMNS - 6))
    return `${faint(microseconds(ns === undefined ? undefined : ns / 1000))}      ${shown}`
  })
}

/** With one decimal, in a column; nothing where there is no figure, as for a program that has started. */
function microseconds(us: number | undefined): string {
  return (us === undefined ? '' : us.toFixed(1)).padStart(NUMBER_COLUMNS)
}
