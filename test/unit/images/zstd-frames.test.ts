import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { decompress } from '../../../src/images/decompress.ts'

const skippable = Buffer.from('512a4d1805000000' + '0102030405', 'hex')
const emptySkippable = Buffer.from('5f2a4d1800000000', 'hex')
const large = Buffer.alloc(400_000, 'a line of text that repeats, with numbers: 0123456789\n')

async function* pieces(bytes: Buffer, pieceBytes: number) {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

async function unpacked(bytes: Buffer, pieceBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of decompress(pieces(bytes, pieceBytes), '')) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

describe('zstd data', () => {
  for (const pieceBytes of [1, 3, 100, 1_000_000]) {
    it(`of many frames is read whole (in pieces of ${pieceBytes} bytes)`, async () => {
      const frames = [
        skippable,
        zstdCompressSync(Buffer.from('one ')),
        zstdCompressSync(Buffer.alloc(0)),
        skippable,
        emptySkippable,
        zstdCompressSync(Buffer.from('two')),
        skippable,
      ]
      assert.equal((await unpacked(Buffer.concat(frames), pieceBytes)).toString(), 'one two')
    })
  }

  it('of frames with many blocks is read whole', async () => {
    const random = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 2_654_435_761) >>> 24))
    const data = Buffer.concat([zstdCompressSync(large), zstdCompressSync(random)])
    assert.ok((await unpacked(data, 1000)).equals(Buffer.concat([large, random])))
  })

  it('that is cut off or goes on with something else is an error', async () => {
    const frame = zstdCompressSync(large)
    for (const end of [5, 7, frame.length - 1]) {
      await assert.rejects(unpacked(frame.subarray(0, end), 1000), /cut off|damaged/)
    }
    await assert.rejects(unpacked(Buffer.concat([frame, Buffer.from('something')]), 1000), /no zstd frame/)
    await assert.rejects(unpacked(Buffer.concat([frame, Buffer.from('ab')]), 1000), /cut off/)
  })
})
