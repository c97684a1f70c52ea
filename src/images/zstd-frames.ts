// Cutting zstd data at the ends of its frames. Node's decompressor loses what follows the end of a frame within one write
// (nodejs/node#64741), and images made for partial pulls consist of thousands of frames.

import { MinictrError } from '../system/error.ts'

const FRAME_MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const MAGIC_BYTES = 4
const RLE = 1

/** How many bytes of its field the flags of a frame header announce. */
const DICTIONARY_ID_BYTES = [0, 1, 2, 4]
const CONTENT_SIZE_BYTES = [0, 2, 4, 8]

type Part =
  | 'magic'
  | 'descriptor'
  | 'header'
  | 'block-header'
  | 'block'
  | 'checksum'
  | 'skippable-size'
  | 'skipped'

/**
 * Passes zstd data on in pieces of which none reaches across the end of a frame; skippable frames are left out. Throws
 * MinictrError for what is no frame. Source: RFC 8878, "Zstandard Frames" and "Skippable Frames".
 */
export async function* cutAtFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const walk = new FrameWalk()
  let kept: Buffer = Buffer.alloc(0)
  for await (const arrived of chunks) {
    const chunk = kept.length > 0 ? Buffer.concat([kept, arrived]) : arrived
    let at = 0
    // Whether a frame is to be left out is known with its first four bytes.
    while (at < chunk.length && !(walk.isAtStart && chunk.length - at < MAGIC_BYTES)) {
      const { endBytes, isSkipped } = walk.advance(chunk, at)
      if (!isSkipped) yield chunk.subarray(at, endBytes)
      at = endBytes
    }
    kept = chunk.subarray(at)
  }
  if (kept.length > 0 || !walk.isAtStart) throw new MinictrError('the compressed data is cut off')
}

class FrameWalk {
  private part: Part = 'magic'
  /** Bytes of the part that are still to come. */
  private left = MAGIC_BYTES
  /** The number that a part of few bytes makes, least byte first. */
  private value = 0
  private shift = 0
  private hasChecksum = false
  private isLastBlock = false

  /** Whether the next byte begins a frame. */
  get isAtStart(): boolean {
    return this.part === 'magic' && this.left === MAGIC_BYTES
  }

  /** Goes on from `start` to the end of the frame or of the chunk, whichever is first. */
  advance(chunk: Buffer, start: number): { endBytes: number; isSkipped: boolean } {
    let at = start
    while (at < chunk.length) {
      const wasSkipped = this.part === 'skippable-size' || this.part === 'skipped'
      const length = Math.min(this.left, chunk.length - at)
      this.take(chunk, at, length)
      at += length
      if (this.left > 0) continue
      const isEnd = this.finishPart()
      if (isEnd) return { endBytes: at, isSkipped: wasSkipped }
    }
    return { endBytes: at, isSkipped: this.part === 'skippable-size' || this.part === 'skipped' }
  }

  private take(chunk: Buffer, at: number, length: number): void {
    this.left -= length
    if (this.part === 'block' || this.part === 'header' || this.part === 'skipped') return
    for (let i = 0; i < length; i++) {
      this.value += chunk[at + i]! * 2 ** this.shift
      this.shift += 8
    }
  }

  /** Decides what comes next; returns whether a frame has ended. */
  private finishPart(): boolean {
    const { value } = this
    switch (this.part) {
      case 'magic':
        if (value === FRAME_MAGIC) return this.expect('descriptor', 1)
        if (value - (value % 16) === SKIPPABLE_MAGIC) return this.expect('skippable-size', 4)
        throw new MinictrError('the compressed data goes on with something that is no zstd frame')
      case 'descriptor':
        return this.readDescriptor(value)
      case 'header':
        return this.expect('block-header', 3)
      case 'block-header': {
        this.isLastBlock = (value & 1) === 1
        const type = (value >> 1) & 3
        return this.expect('block', type === RLE ? 1 : value >> 3)
      }
      case 'block':
        if (!this.isLastBlock) return this.expect('block-header', 3)
        return this.hasChecksum ? this.expect('checksum', 4) : this.endFrame()
      case 'skippable-size':
        return value === 0 ? this.endFrame() : this.expect('skipped', value)
      case 'checksum':
      case 'skipped':
        return this.endFrame()
    }
  }

  private readDescriptor(descriptor: number): boolean {
    const isSingleSegment = (descriptor & 0x20) !== 0
    this.hasChecksum = (descriptor & 0x04) !== 0
    const sizeFlag = descriptor >> 6
    const sizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : CONTENT_SIZE_BYTES[sizeFlag]!
    const headerBytes = (isSingleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[descriptor & 3]! + sizeBytes
    return this.expect('header', headerBytes)
  }

  private endFrame(): true {
    this.expect('magic', MAGIC_BYTES)
    return true
  }

  /** A part without bytes (an empty block) is finished at once. */
  private expect(part: Part, sizeBytes: number): boolean {
    this.part = part
    this.left = sizeBytes
    this.value = 0
    this.shift = 0
    return sizeBytes === 0 ? this.finishPart() : false
  }
}
