// The lines of a script: a step's heading, its comments, the commands of its ops.

import type { Op } from '../runtime/op.ts'
import { shellTwin } from '../runtime/ops.ts'
import type { Plan, Step } from '../runtime/step.ts'
import { type Abbreviation, abbreviateCommand } from './abbreviations.ts'
import { wrap } from './page.ts'

const COMMENT_COLUMNS = 100

/** Its number, its id and its why. */
export function heading(step: Step, plan: Plan): string[] {
  return ['', `# ${plan.steps.indexOf(step) + 1}/${plan.steps.length}  ${step.id}`, ...comment(step.why)]
}

/** The command lines of an op, or the reason why there is none. */
export function runLines(op: Op, names: Abbreviation[]): string[] {
  const twin = shellTwin(op)
  if ('run' in twin) return abbreviateCommand(twin.run, names).split('\n')
  return 'none' in twin ? note(twin.none) : []
}

/** A paragraph of comment. */
export function comment(text: string): string[] {
  return wrap(text, COMMENT_COLUMNS - 2).map(line => `# ${line}`)
}

/** What a command elsewhere does, or why there is none. */
export function note(text: string): string[] {
  return wrap(text, COMMENT_COLUMNS - 4).map(line => `#   ${line}`)
}

/** A line across the page with a title. */
export function rule(title: string): string {
  return `# ${'-'.repeat(4)} ${title} ${'-'.repeat(COMMENT_COLUMNS - title.length - 8)}`
}
