// A plan as a page to read: what will be made, then every step with its reason, its calls and how it is undone.

import type { Plan } from '../runtime/step.ts'
import {
  type Abbreviation,
  abbreviate,
  abbreviateCommand,
  abbreviationsOf,
  definitions,
} from './abbreviations.ts'
import { explainStep, type OpExplanation, type StepExplanation } from './explanation.ts'
import { type Page, shorten, wrap } from './page.ts'
import type { Summary } from './summary.ts'

/** What is explained: a plan and what it comes to. */
export type Subject = { plan: Plan; summary: Summary }

/** A call or a command longer than this many lines of the page is cut. */
const LINES_OF_A_CALL = 3

/** The whole page; with `only`, the one step of that id. */
export function explanationText({ plan, summary }: Subject, page: Page, only?: string): string {
  const names = abbreviationsOf(plan)
  const total = plan.steps.length
  const steps = plan.steps
    .map((step, index) => ({ step, text: () => stepText(explainStep(step), index, total, names, page) }))
    .filter(({ step }) => only === undefined || step.id === only)
    .map(({ text }) => text())
  return [headerText(plan, summary, names, page), ...steps].join('\n\n')
}

/** The same as data; a stable form for programs. */
export function explanationData({ plan, summary }: Subject, only?: string): object {
  const steps = plan.steps.map((step, index) => ({ number: index + 1, ...explainStep(step) }))
  const { image, name, facts } = summary
  return {
    containerId: plan.containerId,
    ...{ image, name, facts },
    steps: steps.filter(({ id }) => only === undefined || id === only),
  }
}

function headerText(plan: Plan, summary: Summary, names: Abbreviation[], page: Page): string {
  const { strong, faint } = page.style
  const host = plan.steps.filter(({ side }) => side === 'host').length
  const calls = plan.steps.reduce((sum, { ops }) => sum + ops.length, 0)
  const facts: [string, string][] = [
    ...(summary.image
      ? [['image', [summary.image.name, summary.image.digest].filter(Boolean).join(' ')] as [string, string]]
      : []),
    ['container', [summary.name, plan.containerId].filter(Boolean).join(' ')],
    ...Object.entries(summary.facts),
  ]
  const width = Math.max(...facts.map(([name]) => name.length))
  const others = summary.becomes
    ? `the process that turns into ${summary.becomes}`
    : 'a process that enters the container for them'
  const where =
    host === plan.steps.length
      ? 'All of them are performed on the host.'
      : `${host === 1 ? '1 step is' : `${host} steps are`} performed on the host, the others by ${others}.`
  const how = `${plan.steps.length} steps, ${calls} calls. ${where} Nothing of it has been done.`
  return [
    strong(`${summary.title}, step by step`),
    '',
    ...facts.flatMap(([name, value]) => hanging(`${faint(name.padEnd(width))}  `, width + 2, value, page)),
    '',
    ...wrap(how, page.columns),
    ...(names.length ? ['', ...definitions(names).map(line => `  ${faint(line)}`)] : []),
  ].join('\n')
}

/** A heading of one line and what belongs to it, indented; of more than `mostCalls` calls the last ones are left out. */
export function stepText(
  step: StepExplanation,
  index: number,
  total: number,
  names: Abbreviation[],
  page: Page,
  mostCalls = Number.POSITIVE_INFINITY,
): string {
  const { strong, faint } = page.style
  const number = `${String(index + 1).padStart(String(total).length)}/${total}`
  const margin = ' '.repeat(number.length + 2)
  const gap = page.columns - number.length - 2 - step.id.length - step.side.length
  const rest = { ...page, columns: page.columns - margin.length }
  const shown = step.ops.slice(0, step.ops.length > mostCalls ? mostCalls : undefined)
  const more = step.ops.length - shown.length
  const lines = [
    ...wrap(step.why, rest.columns),
    ...(shown.length ? [''] : []),
    ...shown.flatMap(op => opLines(op, names, rest)),
    ...(more > 0 ? [faint(`… and ${more} more; minictr explain … --only ${step.id} shows all`)] : []),
    '',
    ...undoLines(step, names, rest),
    ...(step.manuals.length ? hanging(faint('read  '), 6, step.manuals.join(', '), rest, faint) : []),
  ]
  return [
    `${faint(number)}  ${strong(step.id)}${' '.repeat(Math.max(gap, 2))}${faint(step.side)}`,
    ...lines.map(line => (line === '' ? '' : margin + line)),
  ].join('\n')
}

function opLines(op: OpExplanation, names: Abbreviation[], page: Page): string[] {
  const { call, command, faint } = page.style
  const most = page.columns * LINES_OF_A_CALL
  const tolerated = op.op.tolerate?.length ? faint(` // ${op.op.tolerate.join(', ')}: no failure here`) : ''
  const shown = call(shorten(abbreviate(op.call, names), most)) + tolerated
  if (op.shell === undefined) return [shown, ...hanging(faint('  # '), 4, op.noShell ?? '', page, faint)]
  // Of a text with many lines, the first is enough to know it by.
  const shell = op.shell
    .replaceAll(/'((?:[^'\n]|'\\'')*)\n(?:[^']|'\\'')*'/g, "'$1 …'")
    .split('\n')
    .map(line => shorten(abbreviateCommand(line, names), most))
  return [shown, ...shell.map(line => `  ${faint('$')} ${command(line)}`)]
}

function undoLines(step: StepExplanation, names: Abbreviation[], page: Page): string[] {
  const { faint } = page.style
  const label = faint('undo  ')
  if (step.undoneByKernel !== undefined) return hanging(label, 6, step.undoneByKernel, page, faint)
  if (step.undo.length === 0)
    return hanging(label, 6, 'nothing of its own: what it made goes with the other steps', page, faint)
  const most = page.columns * LINES_OF_A_CALL
  return step.undo.map(({ call }, index) => {
    return `${index === 0 ? label : '      '}${shorten(abbreviate(call, names), most)}`
  })
}

/** A paragraph whose first line begins with a label and whose other lines are indented as far. */
export function hanging(
  label: string,
  labelColumns: number,
  text: string,
  page: Page,
  style: (text: string) => string = same,
): string[] {
  const lines = wrap(text, page.columns - labelColumns)
  return lines.map((line, index) => `${index === 0 ? label : ' '.repeat(labelColumns)}${style(line)}`)
}

function same(text: string): string {
  return text
}
