import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Entry } from '../../../src/images/entry.ts'
import { parsePax } from '../../../src/images/pax.ts'
import { TarReader } from '../../../src/images/tar.ts'
import { END_OF_ARCHIVE_BYTES, encodeHeader, padding, type TarEntry } from '../../../src/images/tar-writer.ts'
import { archive, longName } from '../../fixtures/tar.ts'

type Read = { entry: Entry; content: string }

function read(tar: Buffer, pieceBytes = tar.length): Read[] {
  const found: Read[] = []
  const reader = new TarReader({
    begin: entry => found.push({ entry, content: '' }),
    data: (chunk, start, length) => {
      found.at(-1)!.content += chunk.toString('latin1', start, start + length)
    },
    end: () => {},
  })
  for (let at = 0; at < tar.length; at += pieceBytes) reader.push(tar.subarray(at, at + pieceBytes))
  reader.end()
  return found
}

describe('a tar', () => {
  it('is read entry by entry, wherever the chunks end', () => {
    const tar = archive(
      { path: 'dir/', type: 'Directory', mode: 0o1777 },
      { path: 'dir/file', content: 'x'.repeat(1300), uid: 5, gid: 6, mtime: 77 },
      longName('L', 'n'.repeat(150)),
      { path: 'cut', content: 'long' },
      { path: 'link', type: 'SymbolicLink', link: '../target' },
      { path: 'sda', type: 'BlockDevice', device: [8, 1] },
    )
    for (const pieceBytes of [1, 511, 512, 513, tar.length]) {
      const found = read(tar, pieceBytes)
      assert.deepEqual(
        found.map(({ entry }) => [entry.type, entry.path, entry.mode.toString(8)]),
        [
          ['directory', 'dir/', '1777'],
          ['file', 'dir/file', '644'],
          ['file', 'n'.repeat(150), '644'],
          ['symbolic-link', 'link', '644'],
          ['block-device', 'sda', '644'],
        ],
      )
      const { entry, content } = found[1]!
      assert.deepEqual([entry.uid, entry.gid, entry.mtime], [5, 6, { seconds: 77, nanoseconds: 0 }])
      assert.equal(content, 'x'.repeat(1300))
      assert.equal(found[3]!.entry.linkPath, '../target')
      assert.deepEqual([found[4]!.entry.major, found[4]!.entry.minor], [8, 1])
    }
  })

  it('ends at two empty blocks, whatever follows', () => {
    const tar = Buffer.concat([archive({ path: 'a' }), Buffer.from('anything at all')])
    assert.equal(read(tar).length, 1)
  })

  it('may lack its end, but not the end of an entry', () => {
    const tar = archive({ path: 'a', content: 'x' })
    assert.equal(read(tar.subarray(0, 1024)).length, 1)
    for (const end of [10, 512, 513, 700]) {
      assert.throws(() => read(tar.subarray(0, end)), /the tar is cut off after \d+ bytes/)
    }
    assert.equal(read(Buffer.alloc(0)).length, 0)
  })

  it('lets pax records stand above the header, and the pax name above its own cut name', () => {
    const [found] = read(
      archive({
        path: 'short',
        uid: 1,
        pax: { path: 'é'.repeat(80), uid: '70000000', mtime: '12.000000034', size: '3' },
        content: 'abc',
      }),
    )
    assert.equal(Buffer.from(found!.entry.path, 'latin1').toString('utf8'), 'é'.repeat(80))
    assert.equal(found!.entry.uid, 70_000_000)
    assert.deepEqual(found!.entry.mtime, { seconds: 12, nanoseconds: 34 })
    assert.equal(found!.content, 'abc')
  })

  it('says of a wrong checksum where it is', () => {
    const tar = archive({ path: 'first' }, { path: 'second' })
    tar[512 + 3]! ^= 0xff
    assert.throws(() => read(tar), /the checksum of a tar header is wrong/)
  })
})

describe('pax records', () => {
  const parse = (text: string) => parsePax(Buffer.from(text, 'latin1'))

  it('hold any bytes, counted by their length', () => {
    const { xattrs, path } = parse('30 SCHILY.xattr.user.a=x\ny=\0z\n10 path=a\n')
    assert.deepEqual(xattrs?.get('user.a'), Buffer.from('x\ny=\0z'))
    assert.equal(path, 'a')
  })

  it('count the last of several, and an empty one takes it back', () => {
    assert.equal(parse('10 path=a\n10 path=b\n').path, 'b')
    assert.equal(parse('10 path=a\n8 path=\n').path, undefined)
  })

  it('tell times exactly, before 1970 too', () => {
    assert.deepEqual(parse('15 mtime=-1.25\n').mtime, {
      seconds: -2,
      nanoseconds: 750_000_000,
    })
    assert.deepEqual(parse('30 mtime=1700000000.123456789\n').mtime, {
      seconds: 1_700_000_000,
      nanoseconds: 123_456_789,
    })
    assert.deepEqual(parse('12 mtime=-3\n').mtime, { seconds: -3, nanoseconds: 0 })
  })

  it('that are malformed are refused', () => {
    for (const text of ['10 path=a', '99 path=a\n', 'path=a\n', '10 path:a\n', '-1 a=b\n', '4 =\n']) {
      assert.throws(() => parse(text), /pax record/, text)
    }
    for (const text of ['11 uid=0x1\n', '9 gid=-1\n', '11 path=a\0\n', '16 size=12e10000\n']) {
      assert.throws(() => parse(text), /pax record/, text)
    }
  })
})

describe('a written tar', () => {
  const entry = (more: Partial<TarEntry>): TarEntry => ({
    type: 'File',
    path: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: new Date(0),
    sizeBytes: 0,
    ...more,
  })

  it('is read as it was meant, with long and foreign names and large numbers too', () => {
    const entries = [
      entry({ type: 'Directory', path: 'dir/', mode: 0o1777 }),
      entry({ path: `${'d'.repeat(120)}/${'f'.repeat(200)}`, sizeBytes: 3 }),
      entry({ path: 'naïve', uid: 3_000_000_000, mode: 0o4755 }),
      entry({ type: 'SymbolicLink', path: 'link', linkPath: 't'.repeat(180) }),
    ]
    const parts = entries.flatMap(each => [
      encodeHeader(each),
      Buffer.alloc(each.sizeBytes, 'x'),
      padding(each.sizeBytes),
    ])
    const found = read(Buffer.concat([...parts, Buffer.alloc(END_OF_ARCHIVE_BYTES)]))
    assert.deepEqual(
      found.map(({ entry: { path, mode, uid } }) => [
        Buffer.from(path, 'latin1').toString('utf8'),
        mode,
        uid,
      ]),
      entries.map(({ path, mode, uid }) => [path, mode, uid]),
    )
    assert.equal(found[1]!.content, 'xxx')
    assert.equal(found[3]!.entry.linkPath, 't'.repeat(180))
  })
})
