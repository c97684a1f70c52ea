// Bytes of a log read four at a time: V8 compiles a DataView's reading to one instruction, wherever the word begins.

export const WORD_BYTES = 4

/** The bytes of a buffer, as something that words are read from and written to. */
export function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

/** Text as words, each with its place; the last one may begin in the one before. */
export type Words = { sizeBytes: number; places: number[]; values: number[] }

/** An ASCII text of at least four characters, as words. */
export function wordsOf(text: string): Words {
  const bytes = Buffer.from(text)
  const last = bytes.length - WORD_BYTES
  const places = Array.from({ length: Math.ceil(bytes.length / WORD_BYTES) }, (_, index) =>
    Math.min(index * WORD_BYTES, last),
  )
  return { sizeBytes: bytes.length, places, values: places.map(place => bytes.readInt32LE(place)) }
}

/** Whether the text stands at this place. */
export function holds(bytes: DataView, at: number, { sizeBytes, places, values }: Words): boolean {
  if (at + sizeBytes > bytes.byteLength) return false
  for (let index = 0; index < places.length; index++)
    if (bytes.getInt32(at + places[index]!, true) !== values[index]) return false
  return true
}

/** Whether one of a word's four bytes is a quote, a backslash or a newline. */
export function hasSpecial(word: number): boolean {
  return hasZero(word ^ 0x22222222) || hasZero(word ^ 0x5c5c5c5c) || hasZero(word ^ 0x0a0a0a0a)
}

/** Whether one of a word's four bytes is 0: only there does taking one away set the highest bit of a byte that had it clear. */
function hasZero(word: number): boolean {
  return ((word - 0x01010101) & ~word & 0x80808080) !== 0
}
