// The container's side of a script that starts no program: each of its steps by a shell that goes into the container's namespaces
// for it, and keeps this machine's for the rest.

import { quote, words } from '../runtime/shell.ts'
import type { Plan, Step } from '../runtime/step.ts'
import type { Abbreviation } from './abbreviations.ts'
import { note, runLines } from './script-lines.ts'

/** What the step does; up to the one that enters the namespaces by the shell of the script itself. */
export function visitLines(step: Step, plan: Plan, names: Abbreviation[]): string[] {
  const index = plan.steps.indexOf(step)
  const entering = plan.steps.findIndex(({ ops }) => ops.some(({ op }) => op === 'setns'))
  if (index === entering) return note(`${entrance(plan)}: below, for each step that needs it.`)
  const lines = step.ops.flatMap(op => runLines(op, names))
  return index < entering ? lines : insideLines(lines, plan)
}

/** These lines, performed in the container's namespaces. */
export function insideLines(lines: string[], plan: Plan): string[] {
  return `${entrance(plan)} sh -euc ${quote(`\n${lines.join('\n')}\n`)}`.split('\n')
}

/** nsenter(1) into what the plan enters. */
function entrance({ steps }: Plan): string {
  const ops = steps.flatMap(step => step.ops)
  const options = ops.flatMap(op => {
    if (op.op !== 'setns' || op.pid === undefined) return []
    return ['--target', String(op.pid), ...op.namespaces.map(name => `--${name}`)]
  })
  return words('nsenter', ...options)
}
