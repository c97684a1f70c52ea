// A tar entry that is written is the same when it is read: by this project's reader, and by GNU tar.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import type { Entry } from '../../../src/images/entry.ts'
import { TarReader } from '../../../src/images/tar.ts'
import { encodeEntry } from '../../../src/images/tar-entry.ts'

const plain: Entry = {
  type: 'file',
  path: 'dir/file',
  linkPath: '',
  mode: 0o644,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  mtime: { seconds: 1_000_000_000, nanoseconds: 0 },
  major: 0,
  minor: 0,
}

const bytes = (text: string) => Buffer.from(text).toString('latin1')

const entries: [about: string, entry: Entry][] = [
  ['a plain file', plain],
  ['a name of exactly 100 bytes', { ...plain, path: 'x'.repeat(100) }],
  ['a long name', { ...plain, path: `${'d/'.repeat(200)}file` }],
  ['a name that is no ASCII, nor UTF-8', { ...plain, path: `${bytes('ü')}\xff\n` }],
  ['a directory', { ...plain, type: 'directory', path: 'dir/', mode: 0o1777 }],
  ['a link with a long target', { ...plain, type: 'symbolic-link', linkPath: `/${'t'.repeat(150)}` }],
  ['a hard link', { ...plain, type: 'hard-link', linkPath: 'dir/other' }],
  ['a device', { ...plain, type: 'character-device', major: 1, minor: 259 }],
  ['a fifo', { ...plain, type: 'fifo' }],
  ['an owner beyond seven digits', { ...plain, uid: 4_000_000_000, gid: 3_000_000 }],
  ['a time with nanoseconds', { ...plain, mtime: { seconds: 5, nanoseconds: 123_456_789 } }],
  ['a time before 1970', { ...plain, mtime: { seconds: -2, nanoseconds: 500_000_000 } }],
  ['a time just before 1970', { ...plain, mtime: { seconds: -1, nanoseconds: 500_000_000 } }],
  ['attributes with any bytes', { ...plain, xattrs: new Map([['user.a', Buffer.from([0, 10, 255])]]) }],
]

function read(archive: Buffer): Entry[] {
  const found: Entry[] = []
  const reader = new TarReader({ begin: entry => found.push(entry), data() {}, end() {} })
  reader.push(archive)
  reader.end()
  return found
}

describe('a tar entry', () => {
  for (const [about, entry] of entries) {
    it(`is read as it was written: ${about}`, () => {
      const archive = Buffer.concat([encodeEntry(entry), Buffer.alloc(1024)])
      assert.deepEqual(read(archive), [{ xattrs: undefined, ...entry }])
      const listed = execFileSync('tar', ['-t', '--quoting-style=literal'], { input: archive })
      assert.equal(listed.toString('latin1'), `${entry.path}\n`)
    })
  }

  it('of more than 8 GiB keeps its size', () => {
    const [entry] = (() => {
      const found: Entry[] = []
      const reader = new TarReader({ begin: each => found.push(each), data() {}, end() {} })
      reader.push(encodeEntry({ ...plain, sizeBytes: 2 ** 40 }))
      return found
    })()
    assert.equal(entry!.sizeBytes, 2 ** 40)
  })
})
