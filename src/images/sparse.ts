// Sparse files in a tar: which pieces of a file the archive holds; between them the file has holes.

import { MinictrError } from '../system/error.ts'

export type Piece = { offset: number; sizeBytes: number }
/** The file's full size and its pieces in the order in which their bytes follow. */
export type SparseMap = { sizeBytes: number; pieces: Piece[] }

const BLOCK = 512
/** A header block of the old format holds 4 pieces, an extension block 21. */
const OLD_HEADER = { start: 386, count: 4, more: 482, realSize: 483 }
const OLD_EXTENSION = { start: 0, count: 21, more: 504 }
const MAX_PIECES = 1_000_000

/** Reads the number of an old-format field: octal, or base 256 where the first bit is set. NaN where it is neither. */
export function readNumber(block: Buffer, start: number, length: number): number {
  if (block[start]! & 0x80) {
    let value = block[start]! & 0x7f
    for (let i = start + 1; i < start + length; i++) value = value * 256 + block[i]!
    return value
  }
  const text = block
    .toString('latin1', start, start + length)
    .replace(/\0.*$/s, '')
    .trim()
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : text === '' ? 0 : Number.NaN
}

/**
 * Reads the pieces of an old GNU sparse header (type S) or of an extension block after it into `map`; returns whether
 * another extension block follows. Source: GNU tar manual, appendix "Sparse Formats", "Old GNU Format".
 */
export function readOldSparse(block: Buffer, map: SparseMap, isHeader: boolean): boolean {
  const { start, count, more } = isHeader ? OLD_HEADER : OLD_EXTENSION
  if (isHeader) map.sizeBytes = readNumber(block, OLD_HEADER.realSize, 12)
  for (let i = 0; i < count; i++) {
    const at = start + 24 * i
    if (block[at] === 0) break
    addPiece(map, readNumber(block, at, 12), readNumber(block, at + 12, 12))
  }
  return block[more] !== 0
}

export type PaxSparse = {
  map: SparseMap
  /** The file's real name, where the header holds a made-up one. */
  path?: string
  /** Format 1.0: the pieces stand at the beginning of the data. */
  mapInData: boolean
}

/**
 * Reads the GNU.sparse.* records of a pax header (formats 0.0, 0.1 and 1.0); undefined where they describe no sparse file.
 * Throws MinictrError. Source: GNU tar manual, "PAX Format, Versions 0.0 and 0.1" and "Version 1.0".
 */
export function readPaxSparse(records: [key: string, value: string][]): PaxSparse | undefined {
  const map: SparseMap = { sizeBytes: Number.NaN, pieces: [] }
  let path: string | undefined
  let version = ''
  let hasMap = false
  let offset = 0
  for (const [key, value] of records) {
    if (key === 'size' || key === 'realsize') map.sizeBytes = toNumber(value)
    else if (key === 'name') path = value
    else if (key === 'major' || key === 'minor') version += `${value}.`
    else if (key === 'numblocks') hasMap = true
    else if (key === 'offset') offset = toNumber(value)
    else if (key === 'numbytes') addPiece(map, offset, toNumber(value))
    else if (key === 'map') {
      const numbers = value === '' ? [] : value.split(',').map(toNumber)
      for (let i = 0; i < numbers.length; i += 2) addPiece(map, numbers[i]!, numbers[i + 1] ?? Number.NaN)
    }
  }
  if (version !== '' && version !== '1.0.') {
    throw new MinictrError(
      `its sparse format ${version.slice(0, -1)} is unknown (0.0, 0.1 and 1.0 are known)`,
    )
  }
  return version !== '' || hasMap ? { map, path, mapInData: version !== '' } : undefined
}

/**
 * Reads format 1.0's list from the beginning of the data: decimal numbers, a line each, padded to whole blocks. Returns how
 * many bytes it takes, or undefined while more blocks are needed. Throws MinictrError.
 */
export function readSparseMapInData(data: Buffer, map: SparseMap): number | undefined {
  const lines = data.toString('latin1').split('\n')
  const count = lines.length > 1 ? toNumber(lines[0]!) : undefined
  if (count === undefined || lines.length - 1 < 1 + 2 * count) {
    if (data.length < (count ?? 0) * 42 + BLOCK) return undefined
    throw new MinictrError('its sparse map does not end')
  }
  for (let i = 0; i < count; i++) addPiece(map, toNumber(lines[1 + 2 * i]!), toNumber(lines[2 + 2 * i]!))
  const lengthBytes = lines.slice(0, 1 + 2 * count).reduce((sum, line) => sum + line.length + 1, 0)
  return Math.ceil(lengthBytes / BLOCK) * BLOCK
}

/**
 * Checks that the pieces follow one another inside the file and are as long together as the data is.
 * Throws MinictrError; nothing of the file has been written then.
 */
export function checkSparseMap({ sizeBytes, pieces }: SparseMap, dataBytes: number): void {
  let end = 0
  let sum = 0
  for (const piece of pieces) {
    if (piece.offset < end) throw new MinictrError('the pieces of its sparse map overlap or go backwards')
    end = piece.offset + piece.sizeBytes
    sum += piece.sizeBytes
  }
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || end > sizeBytes) {
    throw new MinictrError(`its sparse map reaches to byte ${end} of a file of ${sizeBytes} bytes`)
  }
  if (sum !== dataBytes)
    throw new MinictrError(`its sparse map names ${sum} bytes of data where ${dataBytes} follow`)
}

function addPiece(map: SparseMap, offset: number, sizeBytes: number): void {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(sizeBytes) || offset < 0 || sizeBytes < 0) {
    throw new MinictrError('its sparse map holds an impossible number')
  }
  if (map.pieces.length === MAX_PIECES)
    throw new MinictrError(`its sparse map has more than ${MAX_PIECES} pieces`)
  map.pieces.push({ offset, sizeBytes })
}

function toNumber(text: string): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new MinictrError('its sparse map holds an impossible number')
  return value
}
