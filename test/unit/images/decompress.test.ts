import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { decompress } from '../../../src/images/decompress.ts'

const PIECE_BYTES = 100_000

/** In pieces that have their memory to themselves, kept in `given`. */
async function* ownPieces(bytes: Buffer, given: Uint8Array[] = []) {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const piece = Uint8Array.from(bytes.subarray(at, at + PIECE_BYTES))
    given.push(piece)
    yield piece
  }
}

describe('a layer that is decompressed', () => {
  const content = Buffer.concat([randomBytes(1_000_000), Buffer.alloc(3_000_000, 'text')])
  const compressed = gzipSync(content)

  it('gives the memory of what is done with back, and only that', async () => {
    const given: Uint8Array[] = []
    const pieces: Buffer[] = []
    const read: Buffer[] = []
    for await (const piece of decompress(ownPieces(compressed, given), '')) {
      pieces.push(piece)
      read.push(Buffer.from(piece))
    }
    assert.ok(Buffer.concat(read).equals(content))
    const left = (all: Uint8Array[]) => all.filter(({ byteLength }) => byteLength > 0).length
    // The first is joined with nothing, the last buffer of the stream is not full.
    assert.ok(given.length > 5 && left(given) <= 1, `${left(given)} of ${given.length} pieces`)
    assert.ok(pieces.length > 10 && left(pieces) <= 1, `${left(pieces)} of ${pieces.length} pieces`)
  })

  it('leaves pieces alone that are parts of something larger', async () => {
    const whole = Buffer.concat([Buffer.from('before'), compressed, Buffer.from('after')])
    async function* part() {
      yield whole.subarray(6, 6 + compressed.length)
    }
    let sizeBytes = 0
    for await (const piece of decompress(part(), '')) sizeBytes += piece.length
    assert.equal(sizeBytes, content.length)
    assert.equal(whole.toString('latin1', 0, 6), 'before')
    assert.ok(whole.subarray(6, 6 + compressed.length).equals(compressed))
  })

  it('ends its source when nobody reads on', async () => {
    let isEnded = false
    async function* source() {
      try {
        for (;;) yield* ownPieces(compressed)
      } finally {
        isEnded = true
      }
    }
    for await (const piece of decompress(source(), '')) {
      assert.ok(piece.length > 0)
      break
    }
    while (!isEnded) await new Promise(resolve => setImmediate(resolve))
  })

  it('passes on what its source throws', async () => {
    async function* source() {
      yield compressed.subarray(0, 1000)
      throw new Error('the registry has gone')
    }
    const read = async () => {
      for await (const piece of decompress(source(), '')) assert.ok(piece)
    }
    await assert.rejects(read, /the registry has gone/)
  })
})
