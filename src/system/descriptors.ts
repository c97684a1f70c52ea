// Descriptors that the launcher may have left open for this process.

import { fstatSync } from 'node:fs'

/** Whether it is open, and a socket. */
export function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket()
  } catch {
    return false
  }
}
