// A program that is not there, or cannot be executed, is the user's matter: told in Docker's words and statuses.

import type { StepError } from '../runtime/step-error.ts'
import { MinictrError } from '../system/error.ts'

/** The error to tell where the step that becomes the program was refused; undefined for any other step. */
export function programError(error: StepError): MinictrError | undefined {
  const { op, errno, step } = error.failure
  if (op.op !== 'execve') return undefined
  const program = op.argv[0] ?? ''
  if (errno === 'ENOENT' || errno === 'ENOTDIR') {
    const isPath = program.includes('/')
    const reason = isPath
      ? `stat ${program}: no such file or directory`
      : 'executable file not found in $PATH'
    const place = isPath
      ? 'the path, and the interpreter that the file names, are to be in the image'
      : `the container's PATH is ${pathOf(op.env)}`
    return new MinictrError(`exec: "${program}": ${reason}`, {
      remedy: `Check the name; ${place}. (step ${step.id}; what it had needed is undone)`,
      exitStatus: 127,
      cause: error,
    })
  }
  const reason = { EACCES: 'permission denied', ENOEXEC: 'exec format error' }[errno] ?? errno
  return new MinictrError(`exec: "${program}": ${reason}`, {
    remedy: `Check that it is a program for this machine and may be executed by the user. (step ${step.id}; what it had needed is undone)`,
    exitStatus: 126,
    cause: error,
  })
}

function pathOf(env: string[]): string {
  return env.find(entry => entry.startsWith('PATH='))?.slice(5) ?? 'not set'
}
