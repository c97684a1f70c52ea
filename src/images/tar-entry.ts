// Writing a tar entry as it was read from a file system: every name, number and attribute, in a pax header where the
// plain one has no room for it.

import type { Entry, EntryType } from './entry.ts'

const BLOCK = 512
const TYPE_FLAGS: Record<EntryType, string> = {
  file: '0',
  'hard-link': '1',
  'symbolic-link': '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
}
/** What fits into fields of 8 and 12 octal digits, the last one a NUL. */
const [LARGEST_ID, LARGEST_SIZE] = [0o7777777, 0o77777777777]
const NAME_BYTES = 100

/** The blocks before an entry's bytes. Source: POSIX.1-2024, pax(1), "ustar Interchange Format" and "Extended Header". */
export function encodeEntry(entry: Entry): Buffer {
  const records = paxRecords(entry)
  const plain = header(entry, TYPE_FLAGS[entry.type], entry.sizeBytes)
  if (records.length === 0) return plain
  const body = Buffer.from(records.join(''), 'latin1')
  const pax: Entry = { ...entry, path: 'PaxHeader', linkPath: '', mode: 0o644, major: 0, minor: 0 }
  return Buffer.concat([
    header(pax, 'x', body.length),
    body,
    Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK),
    plain,
  ])
}

function paxRecords({ path, linkPath, uid, gid, sizeBytes, mtime, xattrs }: Entry): string[] {
  const records: string[] = []
  const add = (key: string, value: string) => records.push(paxRecord(key, value))
  if (isOdd(path)) add('path', path)
  if (isOdd(linkPath)) add('linkpath', linkPath)
  if (uid > LARGEST_ID) add('uid', String(uid))
  if (gid > LARGEST_ID) add('gid', String(gid))
  if (sizeBytes > LARGEST_SIZE) add('size', String(sizeBytes))
  if (mtime.nanoseconds !== 0 || mtime.seconds < 0 || mtime.seconds > LARGEST_SIZE)
    add('mtime', timeOf(mtime))
  for (const [name, value] of xattrs ?? []) add(`SCHILY.xattr.${name}`, value.toString('latin1'))
  return records
}

/** Too long, or not ASCII, whose bytes all readers take alike. */
function isOdd(name: string): boolean {
  return name.length > NAME_BYTES || /[^ -~]/.test(name)
}

/** `LENGTH KEY=VALUE\n`, the length's own digits counted. */
function paxRecord(key: string, value: string): string {
  const bytes = key.length + value.length + 3
  let length = bytes + String(bytes).length
  if (String(length).length > String(bytes).length) length = bytes + String(length).length
  return `${length} ${key}=${value}\n`
}

function timeOf({ seconds, nanoseconds }: Entry['mtime']): string {
  if (seconds >= 0 || nanoseconds === 0) return `${seconds}.${String(nanoseconds).padStart(9, '0')}`
  const whole = seconds + 1
  return `${whole === 0 ? '-0' : whole}.${String(1e9 - nanoseconds).padStart(9, '0')}`
}

function header(entry: Entry, typeFlag: string, sizeBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  const text = (value: string, at: number, lengthBytes: number) =>
    block.write(value.slice(0, lengthBytes), at, 'latin1')
  const octal = (value: number, at: number, digits: number) =>
    text(Math.max(0, value).toString(8).padStart(digits, '0').slice(-digits), at, digits)
  const fitting = (value: number, largest: number) => (value > largest ? 0 : value)
  text(entry.path, 0, NAME_BYTES)
  octal(entry.mode, 100, 7)
  octal(fitting(entry.uid, LARGEST_ID), 108, 7)
  octal(fitting(entry.gid, LARGEST_ID), 116, 7)
  octal(fitting(sizeBytes, LARGEST_SIZE), 124, 11)
  octal(fitting(entry.mtime.seconds, LARGEST_SIZE), 136, 11)
  text(' '.repeat(8), 148, 8)
  text(typeFlag, 156, 1)
  text(entry.linkPath, 157, NAME_BYTES)
  text('ustar\u000000', 257, 8)
  octal(entry.major, 329, 7)
  octal(entry.minor, 337, 7)
  const sum = block.reduce((total, byte) => total + byte, 0)
  text(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8)
  return block
}
