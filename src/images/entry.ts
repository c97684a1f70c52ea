// One tar entry: what its 512-byte header, and the metadata before it, say of a file.

import type { Header } from 'tar/header'
import { MinictrError } from '../system/error.ts'
import type { PaxRecords, Timestamp } from './pax.ts'
import { readNumber } from './sparse.ts'

export type EntryType =
  | 'file'
  | 'hard-link'
  | 'symbolic-link'
  | 'character-device'
  | 'block-device'
  | 'directory'
  | 'fifo'

/** One entry. Paths are byte strings (one char, one byte) as the archive spells them: a tar's names have no encoding. */
export type Entry = {
  type: EntryType
  path: string
  linkPath: string
  /** Permission bits with setuid, setgid and sticky. */
  mode: number
  uid: number
  gid: number
  /** The file's size once written; 0 for all but files. */
  sizeBytes: number
  mtime: Timestamp
  major: number
  minor: number
  xattrs?: Map<string, Buffer>
}

const TYPES: Record<string, EntryType> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hard-link',
  '2': 'symbolic-link',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  S: 'file',
}

/** How a tar spells the entry's name, for messages: its bytes as UTF-8. */
export function showPath(path: string): string {
  return JSON.stringify(Buffer.from(path, 'latin1').toString('utf8'))
}

/** What entries of type L, K and x before this one hold for it. */
export type Metadata = { path?: string; linkPath?: string; pax?: PaxRecords }

/**
 * Puts together an entry from its decoded header, the header's block (names are read from its bytes: Header decodes them
 * as UTF-8, which not all are) and the metadata before it. Throws MinictrError for a type that is no file's.
 */
export function decodeEntry(header: Header, block: Buffer, offset: number, metadata: Metadata): Entry {
  const { pax } = metadata
  const typeFlag = block.toString('latin1', offset + 156, offset + 157)
  const path = metadata.path ?? pax?.path ?? headerPath(block, offset)
  const hasData = TYPES[typeFlag] === 'file'
  // Before POSIX a directory was a file whose name ends in a slash.
  const type = hasData && typeFlag !== 'S' && path.endsWith('/') ? 'directory' : TYPES[typeFlag]
  if (type === undefined) {
    throw new MinictrError(
      `entry ${showPath(path)} has the type ${JSON.stringify(typeFlag)}, which is no kind of file`,
    )
  }
  // Header knows device numbers only behind POSIX's magic, not behind GNU's.
  const isDevice = type === 'character-device' || type === 'block-device'
  return {
    type,
    path,
    linkPath: metadata.linkPath ?? pax?.linkPath ?? textUntilNul(block, offset + 157, offset + 257),
    mode: (header.mode ?? 0) & 0o7777,
    uid: pax?.uid ?? header.uid ?? 0,
    gid: pax?.gid ?? header.gid ?? 0,
    sizeBytes: hasData ? (pax?.size ?? header.size ?? Number.NaN) : 0,
    mtime: pax?.mtime ?? { seconds: (header.mtime?.getTime() ?? 0) / 1000, nanoseconds: 0 },
    major: isDevice ? readNumber(block, offset + 329, 8) : 0,
    minor: isDevice ? readNumber(block, offset + 337, 8) : 0,
    xattrs: pax?.xattrs,
  }
}

function headerPath(block: Buffer, offset: number): string {
  const name = textUntilNul(block, offset, offset + 100)
  // Only behind POSIX's magic is there a prefix; a star archive keeps times in its last 25 bytes.
  if (block.toString('latin1', offset + 257, offset + 263) !== 'ustar\0') return name
  const length = block[offset + 475] === 0 ? 130 : 155
  if (block[offset + 345] === 0) return name
  return `${textUntilNul(block, offset + 345, offset + 345 + length)}/${name}`
}

/** The bytes up to the first NUL of a field, as a byte string. */
export function textUntilNul(block: Buffer, start: number, end: number): string {
  const nul = block.indexOf(0, start)
  return block.toString('latin1', start, nul < 0 || nul > end ? end : nul)
}

/** Checks that the kernel can hold the entry's numbers. Throws MinictrError. */
export function checkNumbers({ uid, gid, sizeBytes, mtime, major, minor }: Entry): void {
  const isId = (id: number) => Number.isInteger(id) && id >= 0 && id < 0xffffffff
  if (!Number.isSafeInteger(sizeBytes)) throw new MinictrError('its size is not a possible number')
  if (!isId(uid) || !isId(gid)) throw new MinictrError(`its owner ${uid}:${gid} is not possible`)
  if (!Number.isSafeInteger(mtime.seconds)) throw new MinictrError('its time is not possible')
  if (!(major >= 0 && major < 4096 && minor >= 0 && minor < 1_048_576)) {
    throw new MinictrError(`its device number ${major}:${minor} is not possible`)
  }
}
