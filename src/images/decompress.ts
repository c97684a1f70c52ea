// A layer's bytes without their compression: gzip and zstd are told by their first bytes, everything else is a plain tar.

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { MinictrError } from '../system/error.ts'
import { cutAtFrames } from './zstd-frames.ts'

/** Large pieces: inflating runs on another thread, and each hand-over costs. */
const CHUNK_BYTES = 256 * 1024
/** Pieces that wait, so that inflating goes on while a piece is being written out. */
const WAITING_BYTES = 4 * CHUNK_BYTES
const GZIP = Buffer.from([0x1f, 0x8b])
const HEAD_BYTES = 4

/**
 * Decompresses a layer as it arrives. The media type is not asked, since builders have always been careless with it and
 * Docker looks at the first bytes as well; but a type that tells of encryption is refused.
 * Throws MinictrError for damaged data, and what the source throws.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  mediaType: string,
): AsyncGenerator<Buffer, void, undefined> {
  if (mediaType.endsWith('+encrypted')) {
    throw new MinictrError('the layer is encrypted, which minictr cannot read')
  }
  const iterator = source[Symbol.asyncIterator]()
  const head = await readHead(iterator)
  const stream = decompressorFor(head)
  const chunks = rest(head, iterator)
  if (!stream) return yield* chunks
  const input = Readable.from(isZstd(head) ? cutAtFrames(chunks) : chunks, { highWaterMark: 2 })
  // An error of the source arrives at the stream too, and is thrown below.
  pipeline(input, stream).catch(() => {})
  try {
    for await (const chunk of stream) yield chunk as Buffer
  } catch (error) {
    throw isDamage(error)
      ? new MinictrError(`the compressed data is damaged: ${error.message}`, { cause: error })
      : error
  }
}

function decompressorFor(head: Buffer) {
  const options = { chunkSize: CHUNK_BYTES, readableHighWaterMark: WAITING_BYTES }
  if (head.subarray(0, 2).equals(GZIP)) return createGunzip(options)
  if (isZstd(head)) return createZstdDecompress(options)
  return undefined
}

/** A frame, or a skippable one in front (RFC 8878). */
function isZstd(head: Buffer): boolean {
  if (head.length < HEAD_BYTES) return false
  const magic = head.readUInt32LE(0)
  return magic === 0xfd2fb528 || (magic & 0xfffffff0) === 0x184d2a50
}

/** At least four bytes, if there are as many. */
async function readHead(input: AsyncIterator<Uint8Array>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0)
  while (head.length < HEAD_BYTES) {
    const { value, done } = await input.next()
    if (done) break
    head = head.length === 0 ? toBuffer(value) : Buffer.concat([head, value])
  }
  return head
}

async function* rest(
  head: Buffer,
  input: AsyncIterator<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    if (head.length > 0) yield head
    for (let next = await input.next(); !next.done; next = await input.next()) yield toBuffer(next.value)
  } finally {
    await input.return?.()
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function isDamage(error: unknown): error is Error {
  return /^(?:Z_|ZSTD_)/.test(String((error as NodeJS.ErrnoException)?.code))
}
