// The directory in which something is about to be made; it stays when that goes.

import type { Op } from '../op.ts'

/** Makes the directory that holds the path, and those above it. */
export function makeParent(path: string, mode = 0o711): Op {
  return { op: 'mkdir', path: parentOf(path), mode, parents: true }
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
