// A start that failed, of a container that is there: why is kept until one succeeds, and shown with the container.

import { StepError } from '../runtime/step-error.ts'
import type { MinictrError } from '../system/error.ts'
import { ifWritable, replaceFile } from './json-file.ts'
import { containerPaths, type Roots, type StartError } from './state.ts'

/** What `run` exits with where the runtime was refused something on the container's side. Source: docker/cli, run.go. */
const runStatuses: { [errno: string]: number } = { ENOENT: 127, EACCES: 126, EISDIR: 126 }
/** What Docker's engine takes for a program that is not there, in spite of what its command line says. */
const NOT_FOUND = 127
/** Any other reason. Source: moby, daemon/start.go. */
const NOT_STARTED = 128

/** The status that Docker's command line has for a step that failed; undefined where that is the usual one. */
export function runStatus({ failure: { step, errno } }: StepError): number | undefined {
  return step.side === 'container' ? runStatuses[errno] : undefined
}

/** What is written down of an error that keeps a container from being started. Source: moby, daemon/start.go and errors.go. */
function startErrorOf(error: MinictrError): StartError {
  return { exitStatus: statusOf(error), message: error.message, failedAtMs: Date.now() }
}

/** Writes it down, for whoever has the container's lock. A disk that takes nothing is no reason to tell another error. */
export function recordStartError(roots: Roots, id: string, error: MinictrError): void {
  ifWritable(() => replaceFile(containerPaths(roots, id).startError, startErrorOf(error)))
}

/** The step that an error is about. */
export function failedStep(error: MinictrError): StepError | undefined {
  return [error, error.cause].find(each => each instanceof StepError)
}

function statusOf(error: MinictrError): number {
  if (error.exitStatus === 126 || error.exitStatus === 127) return error.exitStatus
  const failed = failedStep(error)?.failure
  return failed?.step.side === 'container' && failed.errno === 'ENOTDIR' ? NOT_FOUND : NOT_STARTED
}
