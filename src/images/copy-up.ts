// Taking over from the layers below: a file with all that belongs to it, or only a directory's attributes.

import { lstatSync } from 'node:fs'
import { MinictrError } from '../system/error.ts'
import type { Entry } from './entry.ts'

const NANOSECONDS = 1_000_000_000n

/**
 * Copies one file with owner, mode, times and extended attributes, which Node cannot read; links are copied as links.
 * Throws MinictrError with what cp(1) said.
 */
export function copyFile(from: string, to: string): void {
  // Loaded here: each unpacking thread would load it as it starts, and few layers need it.
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const args = ['--archive', '--reflink=auto', '--no-target-directory', '--', from, to]
  const { status, stderr, error } = spawnSync('cp', args, { encoding: 'utf8' })
  if (status !== 0) {
    throw new MinictrError(`cannot copy ${from} of a layer below: ${error?.message ?? stderr.trim()}`)
  }
}

/** The attributes of a directory of a layer below, as if a tar had held an entry for it. */
export function attributesOf(directory: string): Entry {
  const { mode, uid, gid, mtimeNs } = lstatSync(directory, { bigint: true })
  const nanoseconds = ((mtimeNs % NANOSECONDS) + NANOSECONDS) % NANOSECONDS
  return {
    type: 'directory',
    path: directory,
    linkPath: '',
    mode: Number(mode) & 0o7777,
    uid: Number(uid),
    gid: Number(gid),
    sizeBytes: 0,
    mtime: { seconds: Number((mtimeNs - nanoseconds) / NANOSECONDS), nanoseconds: Number(nanoseconds) },
    major: 0,
    minor: 0,
  }
}
