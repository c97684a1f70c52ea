// Whiteouts: how a layer's tar says that something of the layers below is gone.

import { MinictrError } from '../system/error.ts'

const PREFIX = '.wh.'
const OPAQUE = '.wh..wh..opq'
const RESERVED = '.wh..wh.'

export type Whiteout =
  /** `name`, in the same directory, is gone. */
  | { kind: 'remove'; name: string }
  /** Nothing of the directory's content below is left. */
  | { kind: 'opaque' }
  /** What aufs kept for itself; it means nothing to others. */
  | { kind: 'ignored' }

/**
 * Reads the last part of an entry's path as a whiteout; undefined where it is an ordinary name. Throws MinictrError where
 * it would remove a directory itself or what is above it. Source: OCI image spec, layer.md, "Whiteouts".
 */
export function readWhiteout(name: string): Whiteout | undefined {
  if (!name.startsWith(PREFIX)) return undefined
  if (name === OPAQUE) return { kind: 'opaque' }
  if (name.startsWith(RESERVED)) return { kind: 'ignored' }
  const hidden = name.slice(PREFIX.length)
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw new MinictrError(`the whiteout ${JSON.stringify(name)} names no file`)
  }
  return { kind: 'remove', name: hidden }
}
