// What there is to say about a step, as data: its calls, the shell commands that do the same, how it is undone.

import type { Op } from '../runtime/op.ts'
import type { Twin } from '../runtime/ops/row.ts'
import { manualPage, shellTwin, showOp } from '../runtime/ops.ts'
import { quote, words } from '../runtime/shell.ts'
import type { Step } from '../runtime/step.ts'

export type OpExplanation = {
  /** The op as it stands in the plan. */
  op: Op
  /** As a call in C. */
  call: string
  /** A shell command that does the same, or undefined where `noShell` says why there is none. */
  shell?: string
  noShell?: string
  manual: string
}

export type StepExplanation = {
  id: string
  side: Step['side']
  why: string
  ops: OpExplanation[]
  /** In the order performed; empty where nothing has to be done. */
  undo: OpExplanation[]
  /** Why the kernel undoes it by itself. */
  undoneByKernel?: string
  lasts: Step['lasts']
  /** The manual pages of its calls, each once. */
  manuals: string[]
}

/** All that can be said about the step. */
export function explainStep(step: Step): StepExplanation {
  const ops = step.ops.map(explainOp)
  return {
    id: step.id,
    side: step.side,
    why: step.why,
    ops,
    undo: Array.isArray(step.undo) ? step.undo.map(explainOp) : [],
    ...(!Array.isArray(step.undo) && { undoneByKernel: step.undo.kernel }),
    lasts: step.lasts,
    manuals: [...new Set(ops.map(({ manual }) => manual))],
  }
}

function explainOp(op: Op): OpExplanation {
  const twin = shellTwin(op)
  return {
    op,
    call: showOp(op),
    ...('none' in twin ? { noShell: twin.none } : { shell: commandOf(twin) }),
    manual: manualPage(op),
  }
}

/** A twin as a command line of its own. */
function commandOf(twin: Exclude<Twin, { none: string }>): string {
  if ('run' in twin) return twin.run
  if ('unshare' in twin) return `unshare ${twin.unshare.join(' ')}`
  if ('nsenter' in twin) return words('nsenter', ...twin.nsenter)
  if ('setpriv' in twin) return words('setpriv', ...twin.setpriv)
  if ('chdir' in twin) return words('cd', twin.chdir)
  if ('seccompFilter' in twin) return 'setpriv --seccomp-filter FILE   # util-linux 2.41 or later'
  const { argv, env } = twin.exec
  return ['exec env -i', ...env.map(quote), ...argv.map(quote)].join(' ')
}
