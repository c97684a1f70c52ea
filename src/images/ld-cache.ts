// The dynamic linker's cache: which file a library's name stands for on this host.

import { readFileSync } from 'node:fs'

const MAGIC = 'glibc-ld.so.cache1.1'
const HEADER_BYTES = 48
const ENTRY_BYTES = 24

/**
 * Reads /etc/ld.so.cache: from each library's name to its files, preferred ones first; empty where there is no cache of the
 * format that glibc has written since 2.2. Variants for newer processors (glibc-hwcaps) are left out: the plain file
 * runs everywhere. Source: glibc, sysdeps/generic/dl-cache.h, struct cache_file_new; ldconfig(8).
 */
export function readLdCache(path = '/etc/ld.so.cache'): Map<string, string[]> {
  const libraries = new Map<string, string[]>()
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch {
    return libraries
  }
  // Older glibcs put a table of the old format in front; offsets count from the new one.
  const start = bytes.indexOf(MAGIC, 0, 'latin1')
  if (start < 0) return libraries
  const cache = bytes.subarray(start)
  const count = cache.readUInt32LE(20)
  for (let index = 0; index < count; index++) {
    const at = HEADER_BYTES + index * ENTRY_BYTES
    if (at + ENTRY_BYTES > cache.length) break
    if (cache.readBigUInt64LE(at + 16) !== 0n) continue
    const name = textAt(cache, cache.readUInt32LE(at + 4))
    const file = textAt(cache, cache.readUInt32LE(at + 8))
    const files = libraries.get(name)
    if (files) files.push(file)
    else libraries.set(name, [file])
  }
  return libraries
}

function textAt(bytes: Buffer, offset: number): string {
  return bytes.toString('utf8', offset, bytes.indexOf(0, offset))
}
