// Bytes of a log read four at a time: V8 compiles a DataView's reading to one instruction, wherever the word begins.

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
export const WORD_BYTES = 4

/** Memory as bytes, and as something that words are read from and written to. */
export type Bytes = { bytes: Buffer; words: DataView }

/** Behind the last byte, for a text that is looked for there: to ask for the length each time would be a call. */
const SPARE_BYTES = 64

/** New memory of this size, in which a word or one of the texts below may begin at each byte. */
export function newBytes(sizeBytes: number): Bytes {
  const whole = Buffer.allocUnsafe(sizeBytes + SPARE_BYTES)
  return {
    bytes: whole.subarray(0, sizeBytes),
    words: new DataView(whole.buffer, whole.byteOffset, whole.length),
  }
}

/** Text as words, each with its place; the last one may begin in the one before. */
export type Words = { sizeBytes: number; places: number[]; values: number[] }

/** An ASCII text of 4 to 64 characters, as words. */
export function wordsOf(text: string): Words {
  const bytes = Buffer.from(text)
  const last = bytes.length - WORD_BYTES
  const places = Array.from({ length: Math.ceil(bytes.length / WORD_BYTES) }, (_, index) =>
    Math.min(index * WORD_BYTES, last),
  )
  return { sizeBytes: bytes.length, places, values: places.map(place => bytes.readInt32LE(place)) }
}

/** Whether the text stands at this place. */
export function holds(bytes: DataView, at: number, { places, values }: Words): boolean {
  for (let index = 0; index < places.length; index++)
    if (bytes.getInt32(at + places[index]!, true) !== values[index]) return false
  return true
}

/**
 * Whether one of a word's four bytes does not mean itself in a string of JSON: a quote, a backslash or a control character.
 * Turning over one bit makes a quote a blank, and of each control character another one, so that these are what is less than 0x21.
 */
export function hasSpecial(word: number): boolean {
  const quotesAndControls = (word ^ 0x02020202) - 0x21212121
  const backslashes = (word ^ 0x5c5c5c5c) - 0x01010101
  return ((quotesAndControls | backslashes) & ~word & 0x80808080) !== 0
}

/** The same of a byte. */
export function isSpecial(byte: number): boolean {
  return byte < 0x20 || byte === QUOTE || byte === BACKSLASH
}
