// The bytes of a layer, or of another tar, without their compression: gzip and zstd are told by their first bytes, everything else is a plain tar.

import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { MinictrError } from '../system/error.ts'
import { release, releaseAfter } from './piece.ts'
import { cutAtFrames } from './zstd-frames.ts'

/** Large pieces: inflating runs on another thread, and each hand-over costs. */
const CHUNK_BYTES = 256 * 1024
/** Pieces that wait, so that inflating goes on while a piece is being written out. */
const WAITING_PIECES = 4
const GZIP = Buffer.from([0x1f, 0x8b])
const HEAD_BYTES = 4

/**
 * Decompresses a layer as it arrives. The media type is not asked, since builders have always been careless with it and
 * Docker looks at the first bytes as well; but a type that tells of encryption is refused. A piece is good until the next is asked for.
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
  feed(isZstd(head) ? cutAtFrames(chunks) : chunks, stream)
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      yield chunk
      releaseAfter(chunk)
    }
  } catch (error) {
    throw isDamage(error)
      ? new MinictrError(`the compressed data is damaged: ${error.message}`, { cause: error })
      : error
  }
}

/** Writes all that comes into the stream, and gives back the memory of what it is done with. What goes wrong, the stream's reader is told. */
async function feed(chunks: AsyncIterable<Buffer>, stream: Writable): Promise<void> {
  const closed = new AbortController()
  stream.once('close', () => closed.abort())
  try {
    for await (const chunk of chunks) {
      const hasRoom = stream.write(chunk, error => error ?? release(chunk))
      if (!hasRoom) await once(stream, 'drain', { signal: closed.signal })
    }
    stream.end()
  } catch (error) {
    stream.destroy(error as Error)
  }
}

function decompressorFor(head: Buffer) {
  // As objects: pieces that wait would be copied into one else.
  const options = { chunkSize: CHUNK_BYTES, readableObjectMode: true, readableHighWaterMark: WAITING_PIECES }
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
