// Commands where there is no Node: what the launcher's helper cannot do by itself fails.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { executable, type Outcome } from '../fixtures/command-line.ts'

const program = '/no/such/node'

/** `within`: a command line that starts it elsewhere, nsenter(1) with its options. `stdout`: where its output goes; else it is told. */
export type Options = { input?: string; stdout?: number | 'pipe'; within?: string[] }

/** Performs a command of minictr's in these roots by the helper alone. */
export function withoutNode(
  { root, runRoot }: { root: string; runRoot: string },
  words: string[],
  { input, stdout = 'pipe', within = [] }: Options = {},
): Outcome {
  const helper = join(executable, '../minictr-helper')
  const [first, ...rest] = [...within, helper, 'kept', root, runRoot, program, '--', 'bundle', ...words]
  const { status, ...output } = spawnSync(first!, rest, {
    input,
    stdio: ['pipe', stdout, 'pipe'],
    encoding: 'utf8',
    maxBuffer: 10_000_000,
  })
  return { status, stdout: output.stdout ?? '', stderr: output.stderr }
}

/** What comes of one that is left to Node. */
export const needsNode: Outcome = {
  status: 125,
  stdout: '',
  stderr: `minictr-helper: cannot execute ${program}: No such file or directory\n`,
}
