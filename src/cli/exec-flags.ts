// The command line of `exec`: flags, CONTAINER, and the command, which keeps every flag of its own.

import type { ExecOptions } from '../containers/exec-session.ts'
import { parseDetachKeys } from './flags/detach-keys.ts'
import { type Draft, emptyDraft, type RunFlag } from './flags/draft.ts'
import { type Flag, type FlagGroup, readFlags } from './flags/flag.ts'
import { processFlags } from './flags/process.ts'
import { securityFlags } from './flags/security.ts'
import { readVariables } from './flags/variables.ts'
import { watchingFlags } from './flags/watching.ts'
import { usageError } from './usage-error.ts'

/** Docker's status for a wrong flag; a word too few is told with 1. */
const WRONG_FLAG = 125

type ExecDraft = Draft & { detach: boolean; detachKeys: string }

export type ExecFlagGroup = FlagGroup<ExecDraft>

/** Flags that mean the same to `run`. */
function shared({ flags }: { flags: RunFlag[] }, ...names: string[]): Flag<ExecDraft>[] {
  return flags.filter(({ name }) => names.includes(name))
}

/** All flags of `exec`, under the headings of its help. */
export const execFlags: ExecFlagGroup[] = [
  {
    title: 'Process',
    flags: [
      {
        name: 'detach',
        short: 'd',
        about: 'Detached mode: run command in the background',
        turn: (draft, on) => {
          draft.detach = on
        },
      },
      {
        name: 'detach-keys',
        takes: 'string',
        about: 'Override the key sequence for detaching a container',
        set: (draft, keys) => {
          draft.detachKeys = keys
        },
      },
      ...shared(processFlags, 'interactive', 'tty', 'env', 'env-file', 'workdir', 'user'),
      ...shared(securityFlags, 'privileged').map(flag => ({
        ...flag,
        about: 'Give extended privileges to the command',
      })),
    ],
  },
  watchingFlags,
]

/**
 * Parses what follows `minictr exec` (`explain exec`, `script exec`: `program` is what errors call it). The result is
 * `'help'` where `--help` was asked for. Throws MinictrError in Docker's words.
 */
export function parseExec(
  args: string[],
  program = 'minictr exec',
  extra: ExecFlagGroup[] = [],
): ExecOptions | 'help' {
  const draft: ExecDraft = { ...emptyDraft(), detach: false, detachKeys: '' }
  const { asksForHelp, words } = readFlags([...execFlags, ...extra], args, draft, program, WRONG_FLAG)
  if (asksForHelp) return 'help'
  const [container, ...command] = words
  if (container === undefined || command.length === 0) {
    throw usageError(`'${program}' requires at least 2 arguments`, program, 1)
  }
  const { options, envFiles, detach, detachKeys } = draft
  const { interactive, tty, privileged, user, workingDirectory, environment, step, timing, traceFile } =
    options
  environment.unshift(...envFiles.flatMap(file => readVariables(file, process.env)))
  return {
    ...{ container, command, detach, interactive, tty, privileged, user, workingDirectory },
    detachKeys: parseDetachKeys(detachKeys),
    ...{ environment, step, timing, traceFile },
  }
}
