// Reading a tar: blocks come in, entries and their bytes go out, in the order in which the archive holds them.

import { Header } from 'tar/header'
import { MinictrError } from '../system/error.ts'
import { checkNumbers, decodeEntry, type Entry, showPath, textUntilNul } from './entry.ts'
import { makeHeaderBlock } from './header-block.ts'
import { type PaxRecords, parsePax } from './pax.ts'
import {
  checkSparseMap,
  readOldSparse,
  readPaxSparse,
  readSparseMapInData,
  type SparseMap,
} from './sparse.ts'

const BLOCK = 512
/** What Go's archive/tar (and so Docker) accepts for one pax header or long name. */
const MAX_METADATA_BYTES = 1024 * 1024

/** Who receives the entries; `data` comes zero or more times between `begin` and `end`. */
export type EntryReceiver = {
  begin(entry: Entry): void
  /** `length` bytes of `chunk` from `start`, for the file's `position` (null: where the last ones ended). */
  data(chunk: Buffer, start: number, length: number, position: number | null): void
  end(): void
}

/**
 * A tar reader that is pushed to: it keeps at most one block, or one entry's metadata, between two chunks.
 * Throws MinictrError naming the entry (or the place) for what cannot be a tar.
 * Source: POSIX.1-2024 pax(1), "ustar Interchange Format"; GNU tar manual, "Tar Internals"; reading as Go's archive/tar
 * does where these leave a choice, because that is what images are made for.
 */
export class TarReader {
  private readonly receiver: EntryReceiver
  private readonly block = makeHeaderBlock(BLOCK)
  /** Bytes kept until there are `wanted` of them. */
  private kept: Buffer[] = []
  private keptBytes = 0
  private wanted = BLOCK
  private take: (block: Buffer, offset: number) => void = this.header
  private dataLeft = 0
  private paddingLeft = 0
  private entry: Entry | undefined
  private pax: PaxRecords | undefined
  private longPath: string | undefined
  private longLink: string | undefined
  private sparse: SparseMap | undefined
  private piece = 0
  private pieceDone = 0
  private isLoneZero = false
  private isEnded = false
  private offset = 0

  constructor(receiver: EntryReceiver) {
    this.receiver = receiver
  }

  /** Takes the next bytes of the archive, wherever they are cut. The chunk may be reused afterwards. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length && !this.isEnded) {
      if (this.dataLeft > 0) at += this.passData(chunk, at)
      else if (this.paddingLeft > 0) {
        const length = Math.min(this.paddingLeft, chunk.length - at)
        this.paddingLeft -= length
        at += length
      } else if (this.keptBytes === 0 && chunk.length - at >= this.wanted) {
        const length = this.wanted
        this.take(chunk, at)
        at += length
      } else at += this.keep(chunk, at)
    }
    this.offset += chunk.length
  }

  /** The archive has no more bytes. Throws MinictrError where it ends in the middle of something. */
  end(): void {
    const isBoundary = this.take === this.header && this.keptBytes === 0 && this.dataLeft === 0
    const isPending = this.pax !== undefined || this.longPath !== undefined || this.longLink !== undefined
    if (this.isEnded || (isBoundary && this.paddingLeft === 0 && this.entry === undefined && !isPending))
      return
    throw new MinictrError(`the tar is cut off after ${this.offset} bytes${this.where()}`)
  }

  private keep(chunk: Buffer, at: number): number {
    const length = Math.min(this.wanted - this.keptBytes, chunk.length - at)
    this.kept.push(Buffer.from(chunk.subarray(at, at + length)))
    this.keptBytes += length
    if (this.keptBytes === this.wanted) {
      const block = this.kept.length === 1 ? this.kept[0]! : Buffer.concat(this.kept)
      this.kept = []
      this.keptBytes = 0
      this.take(block, 0)
    }
    return length
  }

  private header(block: Buffer, offset: number): void {
    if (block[offset] === 0 && block.compare(ZEROS, 0, BLOCK, offset, offset + BLOCK) === 0) {
      this.isEnded = this.isLoneZero
      this.isLoneZero = true
      return
    }
    if (this.isLoneZero) throw new MinictrError(`the tar goes on after an empty block${this.where()}`)
    const header = this.decode(block, offset)
    const type = block.toString('latin1', offset + 156, offset + 157)
    if (type === 'x' || type === 'g' || type === 'L' || type === 'K') this.beginMetadata(type, header.size)
    else this.beginEntry(type, header, block, offset)
  }

  private decode(block: Buffer, offset: number): Header {
    let header: Header
    try {
      // Header must know the whole name: cut to 100 bytes it may end in a slash, like an old directory's without data.
      const path = this.longPath ?? this.pax?.path
      block.copy(this.block, 0, offset, offset + BLOCK)
      header = path === undefined ? new Header(this.block) : new Header(this.block, 0, { path })
    } catch (cause) {
      throw new MinictrError(`a tar header is damaged${this.where()}: ${(cause as Error).message}`, { cause })
    }
    if (!header.cksumValid) throw new MinictrError(`the checksum of a tar header is wrong${this.where()}`)
    return header
  }

  private beginMetadata(type: string, sizeBytes: number | undefined): void {
    if (sizeBytes === undefined || sizeBytes > MAX_METADATA_BYTES) {
      throw new MinictrError(
        `a tar header announces ${sizeBytes ?? 'an impossible number of'} bytes of metadata${this.where()}`,
      )
    }
    const done = (block: Buffer, offset: number) => {
      this.expect(BLOCK, this.header)
      this.paddingLeft = paddingAfter(sizeBytes)
      this.metadata(type, block.subarray(offset, offset + sizeBytes))
    }
    if (sizeBytes === 0) done(ZEROS, 0)
    else this.expect(sizeBytes, done)
  }

  private metadata(type: string, body: Buffer): void {
    // A global header changes nothing here, as in Docker: what writes them (git archive) puts only a comment there.
    if (type === 'L') this.longPath = textUntilNul(body, 0, body.length)
    else if (type === 'K') this.longLink = textUntilNul(body, 0, body.length)
    else if (type === 'x') this.pax = this.naming(() => parsePax(body))
  }

  private beginEntry(type: string, header: Header, block: Buffer, offset: number): void {
    const { pax } = this
    const entry = decodeEntry(header, block, offset, { path: this.longPath, linkPath: this.longLink, pax })
    this.entry = entry
    this.pax = undefined
    this.longPath = undefined
    this.longLink = undefined
    this.naming(() => checkNumbers(entry))
    if (type === 'S') this.beginOldSparse(block.subarray(offset, offset + BLOCK))
    else if (pax?.sparse && entry.type === 'file') this.beginPaxSparse(pax.sparse)
    else this.beginData(entry.sizeBytes)
  }

  private beginData(dataBytes: number): void {
    const entry = this.entry!
    if (this.sparse) {
      this.naming(() => checkSparseMap(this.sparse!, dataBytes))
      entry.sizeBytes = this.sparse.sizeBytes
    }
    if (entry.type !== 'file') entry.sizeBytes = 0
    this.receiver.begin(entry)
    this.dataLeft = entry.type === 'file' ? dataBytes : 0
    this.paddingLeft = paddingAfter(dataBytes)
    this.piece = 0
    this.pieceDone = 0
    if (this.dataLeft === 0) this.endEntry()
  }

  private endEntry(): void {
    this.receiver.end()
    this.entry = undefined
    this.sparse = undefined
  }

  private passData(chunk: Buffer, at: number): number {
    let length = Math.min(this.dataLeft, chunk.length - at)
    if (this.sparse === undefined) this.receiver.data(chunk, at, length, null)
    else {
      const piece = this.sparse.pieces[this.piece]!
      length = Math.min(length, piece.sizeBytes - this.pieceDone)
      if (length > 0) this.receiver.data(chunk, at, length, piece.offset + this.pieceDone)
      this.pieceDone += length
      if (this.pieceDone === piece.sizeBytes) {
        this.piece += 1
        this.pieceDone = 0
      }
    }
    this.dataLeft -= length
    if (this.dataLeft === 0) this.endEntry()
    return length
  }

  private beginOldSparse(block: Buffer): void {
    const map: SparseMap = { sizeBytes: 0, pieces: [] }
    this.sparse = map
    const dataBytes = this.entry!.sizeBytes
    const read = (bytes: Buffer, isHeader: boolean) => {
      if (this.naming(() => readOldSparse(bytes, map, isHeader))) {
        this.expect(BLOCK, (next, offset) => read(next.subarray(offset, offset + BLOCK), false))
      } else {
        this.expect(BLOCK, this.header)
        this.beginData(dataBytes)
      }
    }
    read(block, true)
  }

  private beginPaxSparse(records: [key: string, value: string][]): void {
    const entry = this.entry!
    const found = this.naming(() => readPaxSparse(records))
    if (found?.path) entry.path = found.path
    this.sparse = found?.map
    if (found?.mapInData) this.beginSparseWithMap(entry, found.map)
    else this.beginData(entry.sizeBytes)
  }

  private beginSparseWithMap(entry: Entry, map: SparseMap): void {
    let lines = Buffer.alloc(0)
    const read = (block: Buffer, offset: number) => {
      lines = Buffer.concat([lines, block.subarray(offset, offset + BLOCK)])
      const lengthBytes = this.naming(() => readSparseMapInData(lines, map))
      if (lengthBytes === undefined && lines.length + BLOCK <= Math.min(entry.sizeBytes, MAX_METADATA_BYTES))
        return
      this.expect(BLOCK, this.header)
      if (lengthBytes === undefined) throw new MinictrError(`the sparse map does not end${this.where()}`)
      this.beginData(entry.sizeBytes - lengthBytes)
    }
    this.expect(BLOCK, read)
  }

  private expect(sizeBytes: number, take: (block: Buffer, offset: number) => void): void {
    this.wanted = sizeBytes
    this.take = take
  }

  private naming<T>(action: () => T): T {
    try {
      return action()
    } catch (error) {
      if (!(error instanceof MinictrError)) throw error
      const name = this.entry ? `entry ${showPath(this.entry.path)}` : `near byte ${this.offset}`
      throw new MinictrError(`${name}: ${error.message}`, { cause: error })
    }
  }

  private where(): string {
    return this.entry ? ` (in entry ${showPath(this.entry.path)})` : ` (near byte ${this.offset})`
  }
}

const ZEROS = Buffer.alloc(BLOCK)

function paddingAfter(sizeBytes: number): number {
  return (BLOCK - (sizeBytes % BLOCK)) % BLOCK
}
