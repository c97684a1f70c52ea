// Hostile and damaged layers: each is an error that names what is wrong, nothing outside the layer is touched, and
// nothing of it stays. Needs root.

import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { MinictrError } from '../../src/system/error.ts'
import { diffIdOf, pieces, TestLayers } from '../fixtures/layers.ts'
import { archive, encodeEntry, longName, metadata, paxHeader, type TestEntry } from '../fixtures/tar.ts'

const entry = (path: string, more: Partial<TestEntry> = {}): TestEntry => ({
  path,
  content: 'hostile',
  ...more,
})
const link = (path: string, target: string): TestEntry => ({ path, type: 'SymbolicLink', link: target })
const hardLink = (path: string, target: string): TestEntry => ({ path, type: 'Link', link: target })
const size = (text: string) => (block: Buffer) => block.write(text, 124, 'latin1')

describe('a hostile layer', () => {
  let layers: TestLayers
  let outside: string
  beforeEach(() => {
    layers = new TestLayers()
    outside = join(layers.directory, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'file'), 'untouched')
  })
  afterEach(() => {
    assert.deepEqual(readdirSync(outside), ['file'])
    assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'untouched')
    assert.deepEqual(
      readdirSync(layers.directory).filter(name => name !== 'layers' && name !== 'outside'),
      [],
    )
    assert.deepEqual(layers.leftovers(), [])
    layers.remove()
  })

  /** Unpacking fails with a message that fits, names the layer, and leaves an empty store. */
  async function refuses(tar: Buffer, message: RegExp, blob = tar): Promise<void> {
    const diffId = diffIdOf(tar)
    await assert.rejects(layers.add(tar, 10_000, blob), error => {
      assert.ok(error instanceof MinictrError, String(error))
      assert.ok(error.message.startsWith(`Cannot unpack the layer ${diffId}: `), error.message)
      assert.match(error.message, message)
      return true
    })
    assert.equal(layers.store.has(diffId), false)
    assert.deepEqual(readdirSync(layers.store.directory), [])
  }

  describe('with names that lead out', () => {
    for (const path of [
      '../outside/file',
      'a/../../outside/file',
      '/../outside/file',
      '..',
      'a/b/../../..',
      './../x',
    ]) {
      it(`is refused: ${path}`, () =>
        refuses(archive(entry(path)), /entry ".*": its name leads out of the layer/))
    }

    it('is refused also as directory, link, device and whiteout', async () => {
      const types: Partial<TestEntry>[] = [
        { type: 'Directory', content: '' },
        { type: 'SymbolicLink', link: 'x', content: '' },
        { type: 'FIFO', content: '' },
        { type: 'CharacterDevice', content: '' },
      ]
      for (const type of types) await refuses(archive(entry('../outside/x', type)), /leads out of the layer/)
      await refuses(archive(entry('../outside/.wh.file')), /leads out of the layer/)
      await refuses(archive(entry('../outside/.wh..wh..opq')), /leads out of the layer/)
    })

    it('is refused where the target of a hard link leads out', async () => {
      await refuses(archive(hardLink('x', '../outside/file')), /entry "x": its name leads out/)
      await refuses(
        archive(hardLink('x', '/etc/passwd')),
        /entry "x": it is a hard link to "\/etc\/passwd", which does not exist/,
      )
      await refuses(archive(link('l', '/etc'), hardLink('x', 'l/passwd')), /which does not exist/)
    })

    it('is refused where pax or GNU say the name', async () => {
      await refuses(archive(entry('fine', { pax: { path: '../outside/x' } })), /leads out of the layer/)
      await refuses(archive(longName('L', '../outside/x'), entry('fine')), /leads out of the layer/)
      await refuses(archive(entry('fine', { pax: { path: 'a\0b' } })), /NUL/)
    })
  })

  describe('with links that lead out', () => {
    it('only ever writes inside itself', async () => {
      const root = await layers.add(
        archive(
          link('abs', outside),
          entry('abs/file'),
          link('up', `../../../../../../../../..${outside}`),
          entry('up/other'),
          link('self', '.'),
          link('self/up2', '..'),
          entry('self/up2/third'),
          link('file', join(outside, 'file')),
          entry('file'),
          link('dir', outside),
          { path: 'dir', type: 'Directory' },
          entry('dir/x'),
        ),
      )
      const inside = join(root, outside)
      assert.deepEqual(readdirSync(inside).sort(), ['file', 'other'])
      assert.equal(readFileSync(join(root, 'third'), 'utf8'), 'hostile')
      assert.ok(lstatSync(join(root, 'file')).isFile())
      assert.ok(existsSync(join(root, 'dir/x')))
    })

    it('sets owners, modes and times of the link and not of what it names', async () => {
      const before = lstatSync(join(outside, 'file'))
      await layers.add(
        archive({ ...link('l', join(outside, 'file')), uid: 1234, mode: 0o777, pax: { mtime: '5.5' } }),
      )
      const after = lstatSync(join(outside, 'file'))
      assert.deepEqual([after.uid, after.mode, after.mtimeMs], [before.uid, before.mode, before.mtimeMs])
    })

    it('is refused where links go round in a circle', async () => {
      await refuses(
        archive(link('a', 'b'), link('b', 'a'), entry('a/x')),
        /entry "a\/x": .*too many symbolic links/,
      )
    })

    it('may name a directory of a lower layer through a link, without leaving the image', async () => {
      await layers.add(archive(link('etc', outside), link('up', '../../../../..')))
      const hostile = archive(hardLink('x', 'etc/file'))
      await assert.rejects(layers.add(hostile), /hard link to "etc\/file", which does not exist/)
      await assert.rejects(layers.add(archive(hardLink('y', `up${outside}/file`))), /does not exist/)
    })
  })

  describe('with entries that make no sense', () => {
    it('is refused: something inside a file', () =>
      refuses(archive(entry('a'), entry('a/b')), /entry "a\/b": "a" is a file/))
    it('is refused: a root that is no directory', async () => {
      await refuses(archive(entry('.')), /root of the layer/)
      await refuses(archive(link('./', outside), entry('file')), /root of the layer/)
    })
    it('is refused: a hard link to a directory', () =>
      refuses(
        archive({ path: 'd', type: 'Directory' }, hardLink('x', 'd')),
        /hard link to the directory "d"/,
      ))
    it('is refused: a whiteout of nothing, of the directory, of its parent', async () => {
      await refuses(archive(entry('a/.wh.')), /whiteout "\.wh\." names no file/)
      await refuses(archive(entry('a/.wh..')), /names no file/)
      await refuses(archive(entry('a/.wh...')), /names no file/)
    })
    it('is refused: an unknown type', () =>
      refuses(archive(entry('x', { edit: block => block.write('V', 156) })), /entry "x" has the type "V"/))
    it('is refused: an empty link', () =>
      refuses(archive(link('x', '')), /entry "x": its link target is empty/))
    it('is refused: a name longer than the kernel takes', () =>
      refuses(archive(entry('x', { pax: { path: 'n'.repeat(300) } })), /ENAMETOOLONG/))
    it('is refused: an owner or a device number that does not exist', async () => {
      await refuses(archive(entry('x', { pax: { uid: '4294967295' } })), /owner/)
      await refuses(archive(entry('x', { pax: { uid: '-1' } })), /uid=/)
      await refuses(
        archive({
          path: 'x',
          type: 'CharacterDevice',
          edit: block => block.write('7777777\0', 329, 'latin1'),
        }),
        /entry "x": its device number/,
      )
    })
  })

  describe('with absurd sizes', () => {
    it('is refused: negative, not a number, larger than numbers go', async () => {
      const negative = (block: Buffer) => block.fill(0xff, 124, 136)
      const huge = (block: Buffer) => Buffer.from('80ffffffffffffffffffffff', 'hex').copy(block, 124)
      await refuses(archive(entry('x', { edit: negative })), /entry "x": its size|header/)
      await refuses(archive(entry('x', { edit: huge })), /entry "x": its size|header/)
      await refuses(archive(entry('x', { edit: size('garbage    \0') })), /entry "x": its size/)
      await refuses(archive(entry('x', { pax: { size: '-5' } })), /size=/)
      await refuses(archive(entry('x', { pax: { size: '1e9' } })), /size=/)
    })
    it('is refused: more than follows', () =>
      refuses(archive(entry('x', { edit: size('77777777777\0') })), /cut off/))
    it('is refused: a header of gigabytes', async () => {
      const header = encodeEntry({
        path: 'm',
        edit: block => block.write('x', 156) && size('77777777777\0')(block),
      })
      await refuses(archive(header), /announces 8589934591 bytes of metadata/)
      await refuses(archive(metadata('x', Buffer.alloc(2_000_000))), /bytes of metadata/)
    })
    it('is refused: a malformed pax record', async () => {
      for (const body of [
        '12 path=x',
        '9999 path=x\n',
        'x path=a\n',
        '5 a\n',
        '0 a=b\n',
        '-5 a=b\n',
        '7 path=x\n',
      ]) {
        await refuses(archive(metadata('x', Buffer.from(body)), entry('x')), /pax record is malformed/)
      }
      await refuses(archive(paxHeader({ mtime: 'soon' }), entry('x')), /mtime=/)
    })
    it('is refused: sparse maps that overlap, go beyond the file or do not end', async () => {
      const sparse = (map: string, realSize: string) =>
        archive(
          entry('x', {
            pax: { 'GNU.sparse.size': realSize, 'GNU.sparse.numblocks': '2', 'GNU.sparse.map': map },
          }),
        )
      await refuses(sparse('0,4,2,3', '10'), /overlap/)
      await refuses(sparse('0,4,9,3', '10'), /reaches to byte 12/)
      await refuses(sparse('0,4,5,4', '10'), /names 8 bytes of data where 7 follow/)
      await refuses(sparse('0,4,x,3', '10'), /impossible number/)
      await refuses(sparse('0,4,5,3', '-1'), /impossible number/)
      const inData = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '10' }
      await refuses(archive(entry('x', { pax: inData, content: '999999999\n'.padEnd(512, '0') })), /map/)
      await refuses(archive(entry('x', { pax: inData, content: Buffer.alloc(4096) })), /map|number/)
      await refuses(archive(entry('x', { pax: { ...inData, 'GNU.sparse.major': '7' } })), /sparse format/)
    })
    it('is refused: a file larger than the file system allows', () =>
      refuses(
        archive(
          entry('x', {
            content: '',
            pax: { 'GNU.sparse.size': '9007199254740991', 'GNU.sparse.numblocks': '0', 'GNU.sparse.map': '' },
          }),
        ),
        /EFBIG/,
      ))
  })

  describe('that is damaged', () => {
    const whole = archive(
      { path: 'd', type: 'Directory' },
      entry('d/one', { content: 'x'.repeat(2000), pax: { mtime: '1.5' } }),
      longName('L', 'long/name'),
      entry('ignored'),
    )

    it('is refused wherever it is cut off', async () => {
      for (const end of [1, 100, 511, 513, 700, 1024, 1100, 1536, 1600, 2048, 3000, 3584, 4106]) {
        await refuses(whole.subarray(0, end), /cut off/)
      }
    })

    it('is refused where a header’s checksum is wrong or something follows the first empty block', async () => {
      const flipped = Buffer.from(whole)
      flipped[10]! ^= 1
      await refuses(flipped, /checksum of a tar header is wrong/)
      await refuses(
        Buffer.concat([encodeEntry(entry('a')), Buffer.alloc(512), archive(entry('b'))]),
        /goes on after an empty block/,
      )
      await refuses(Buffer.from('this is no tar at all'.repeat(100)), /checksum|header/)
    })

    it('is refused where its compression is cut off or corrupt', async () => {
      for (const pack of [gzipSync, zstdCompressSync]) {
        const packed = pack(whole)
        await refuses(whole, /damaged|cut off/, packed.subarray(0, packed.length - 20))
        const corrupt = Buffer.from(packed)
        corrupt[Math.floor(packed.length / 2)]! ^= 0xff
        corrupt[Math.floor(packed.length / 2) + 1]! ^= 0xff
        await refuses(whole, /damaged|diff id|cut off|checksum|type|frame/, corrupt)
      }
      await refuses(whole, /damaged/, Buffer.concat([gzipSync(whole), Buffer.from('garbage')]))
    })

    it('is refused where its content is not what the image promises', async () => {
      const promised = archive(entry('a', { content: 'promised' }))
      const other = archive(entry('a', { content: 'replaced' }))
      await refuses(
        promised,
        /its content has the diff id sha256:[0-9a-f]{64}, not the one the image promises/,
        other,
      )
      await refuses(promised, /diff id/, Buffer.concat([promised, Buffer.alloc(512)]))
    })

    it('is refused where it is encrypted', async () => {
      const request = {
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted',
        diffId: diffIdOf(whole),
        lowerDiffIds: [],
      }
      await assert.rejects(layers.store.unpack(pieces(whole, 1000), request), /encrypted/)
    })
  })

  it('stays out also when its source breaks off or is given up', async () => {
    const tar = archive(entry('a', { content: Buffer.alloc(300_000) }))
    const request = { mediaType: '', diffId: diffIdOf(tar), lowerDiffIds: [] }
    async function* broken() {
      yield tar.subarray(0, 100_000)
      throw new Error('connection lost')
    }
    await assert.rejects(layers.store.unpack(broken(), request), /connection lost/)
    const controller = new AbortController()
    async function* endless() {
      yield gzipSync(tar.subarray(0, 100_000)).subarray(0, 50)
      controller.abort(new Error('given up'))
      await new Promise<never>(() => {})
    }
    await assert.rejects(layers.store.unpack(endless(), { ...request, signal: controller.signal }))
    assert.deepEqual(readdirSync(layers.store.directory), [])
  })
})
