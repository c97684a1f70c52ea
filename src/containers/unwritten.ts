// Output of a program that its user did not get: the disk it goes to is full, say. Who takes a backup so is to learn of it.

import type { Exit } from '../system/monitor.ts'
import type { Unwritten } from '../system/wire.ts'

/**
 * The status for whoever started the program: its own; but 1 where that is 0 and not all of its output could be written,
 * which is told on standard error. A closed pipe is no failure: the program itself learns of that.
 */
export function statusFor({ status, unwritten }: Exit): number {
  if (!unwritten) return status
  process.stderr.write(`minictr: ${whyUnwritten(unwritten)}\nIts output is incomplete.\n`)
  return status || 1
}

/** In Docker's words, which say that it is the reader's side and not that of the images. */
export function whyUnwritten({ stream, errno }: Unwritten): string {
  const { getSystemErrorMessage } = process.getBuiltinModule('node:util')
  return `write /dev/${stream}: ${getSystemErrorMessage(-errno)}`
}
