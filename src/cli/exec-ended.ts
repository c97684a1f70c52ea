// What the helper becomes where an exec that it performed by itself did not end well (native/kept.c): what is to be said about it.

import { statusFor } from '../containers/unwritten.ts'
import { monitorLost } from '../system/executor.ts'

/**
 * Takes the status of the program, and which of its output could not be written and why (1 or 2, and an errno); or nothing,
 * where its monitor has ended before it. Returns the exit status. Throws MinictrError.
 */
export async function perform([status, stream, errno]: string[]): Promise<number> {
  if (status === undefined) throw monitorLost()
  return statusFor({
    status: Number(status),
    signal: null,
    unwritten: { stream: stream === '1' ? 'stdout' : 'stderr', errno: Number(errno) },
  })
}
