// Writing a tar: a header for each entry, a pax header before it where the plain one has no room.

import { Header } from 'tar/header'
import { Pax } from 'tar/pax'

const BLOCK = 512

export type TarEntry = {
  type: 'File' | 'Directory' | 'SymbolicLink'
  /** Relative, without `./`; a directory's ends in a slash. */
  path: string
  mode: number
  uid: number
  gid: number
  mtime: Date
  sizeBytes: number
  linkPath?: string
}

/** The blocks that go before an entry's bytes. Source: POSIX.1-2024, pax(1), "ustar Interchange Format". */
export function encodeHeader(entry: TarEntry): Buffer {
  const { sizeBytes, linkPath, ...plain } = entry
  const header = new Header({ ...plain, size: sizeBytes, linkpath: linkPath ?? '', uname: '', gname: '' })
  const block = Buffer.alloc(BLOCK)
  if (!header.encode(block)) return block
  const { path, uid, gid, mtime } = entry
  const pax = new Pax({ path, uid, gid, mtime, size: sizeBytes, ...(linkPath && { linkpath: linkPath }) })
  return Buffer.concat([pax.encode(), block])
}

/** The zeros that fill an entry's last block. */
export function padding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK - (sizeBytes % BLOCK)) % BLOCK)
}

/** The two empty blocks at the end of an archive. */
export const END_OF_ARCHIVE_BYTES = 2 * BLOCK
