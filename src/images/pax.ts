// Pax extended headers: the records before a tar entry that say what its 512-byte header has no room for.

import { MinictrError } from '../system/error.ts'

/** A moment as the kernel keeps it; nanoseconds count up from the second also before 1970. */
export type Timestamp = { seconds: number; nanoseconds: number }

/** What the records of one extended header change in the entry that follows. Texts are byte strings (one char, one byte). */
export type PaxRecords = {
  path?: string
  linkPath?: string
  size?: number
  uid?: number
  gid?: number
  mtime?: Timestamp
  xattrs?: Map<string, Buffer>
  /** Records of GNU's sparse formats, in order: format 0.0 repeats its keys. */
  sparse?: [key: string, value: string][]
}

const XATTR_PREFIX = 'SCHILY.xattr.'

/**
 * Reads the records `LENGTH KEY=VALUE\n` of an extended header. The `tar` package's Pax reads them as lines of text;
 * values hold any bytes (file capabilities, say, or a newline), so they are cut by their lengths here.
 * Throws MinictrError for a malformed record. Source: POSIX.1-2024, pax(1), "pax Extended Header"; tar(5) of libarchive.
 */
export function parsePax(body: Buffer): PaxRecords {
  const records: PaxRecords = {}
  const text = body.toString('latin1')
  for (let start = 0; start < text.length; ) {
    const space = text.indexOf(' ', start)
    const digits = text.slice(start, space)
    const end = start + Number(digits)
    const equals = text.indexOf('=', space)
    if (
      space < 0 ||
      !/^[0-9]{1,7}$/.test(digits) ||
      end > text.length ||
      text[end - 1] !== '\n' ||
      !(equals > space + 1 && equals < end)
    ) {
      throw new MinictrError(`a pax record is malformed: ${JSON.stringify(text.slice(start, start + 40))}`)
    }
    addRecord(records, text.slice(space + 1, equals), text.slice(equals + 1, end - 1))
    start = end
  }
  return records
}

function addRecord(records: PaxRecords, key: string, value: string): void {
  if (key === 'path') records.path = withoutNul(key, value)
  else if (key === 'linkpath') records.linkPath = withoutNul(key, value)
  else if (key === 'size') records.size = toCount(key, value)
  else if (key === 'uid') records.uid = toCount(key, value)
  else if (key === 'gid') records.gid = toCount(key, value)
  else if (key === 'mtime') records.mtime = value === '' ? undefined : toTimestamp(value)
  else if (key.startsWith(XATTR_PREFIX)) {
    records.xattrs ??= new Map()
    records.xattrs.set(withoutNul(key, key.slice(XATTR_PREFIX.length))!, Buffer.from(value, 'latin1'))
  } else if (key.startsWith('GNU.sparse.')) {
    records.sparse ??= []
    records.sparse.push([key.slice('GNU.sparse.'.length), value])
  }
}

/** An empty value takes the record back, so that the header counts again. */
function withoutNul(key: string, value: string): string | undefined {
  if (value.includes('\0')) throw new MinictrError(`the pax record ${JSON.stringify(key)} holds a NUL byte`)
  return value === '' ? undefined : value
}

function toCount(key: string, value: string): number | undefined {
  if (value === '') return undefined
  const count = /^[0-9]+$/.test(value) ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(count)) {
    throw new MinictrError(
      `the pax record ${key}=${JSON.stringify(value.slice(0, 40))} is not a possible number`,
    )
  }
  return count
}

function toTimestamp(value: string): Timestamp {
  const match = /^(-?)([0-9]{1,12})(?:\.([0-9]*))?$/.exec(value)
  if (!match)
    throw new MinictrError(`the pax record mtime=${JSON.stringify(value.slice(0, 40))} is not a time`)
  const seconds = Number(match[2])
  const nanoseconds = Number((match[3] ?? '').padEnd(9, '0').slice(0, 9))
  if (match[1] === '') return { seconds, nanoseconds }
  return nanoseconds === 0
    ? { seconds: -seconds, nanoseconds }
    : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds }
}
