// Random bytes from the kernel (random(4)). Node's own way there loads all of its cryptography, milliseconds that each
// `run` would pay for an id and a name.

import { closeSync, openSync, readSync } from 'node:fs'

/** So many unpredictable bytes. */
export function randomBytes(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  const fd = openSync('/dev/urandom', 'r')
  try {
    for (let at = 0; at < sizeBytes; ) at += readSync(fd, bytes, at, sizeBytes - at, null)
  } finally {
    closeSync(fd)
  }
  return bytes
}
