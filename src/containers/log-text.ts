// The text of a log's line, a string of JSON: its bytes copied, what is escaped in them decoded.

import { type Bytes, hasSpecial, isSpecial, WORD_BYTES } from './log-words.ts'

const [QUOTE, BACKSLASH, LETTER_U] = [0x22, 0x5c, 0x75]
/** What the simple escapes of JSON mean (RFC 8259, section 7); 0 for those that are none. */
const ESCAPES = new Uint8Array(128)
for (const [letter, meaning] of Object.entries({
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}))
  ESCAPES[letter.charCodeAt(0)] = meaning.charCodeAt(0)

/** Where the two stand of which one is copied to the other; `copyText` moves them on. */
export type Places = { input: number; out: number }

/**
 * Copies from behind the quote that begins the text to the one that ends it, where it leaves `places`. Returns false for what is
 * left to JSON.parse: characters outside Unicode's first plane, and what is no JSON. There has to be something in the input that ends it, a
 * newline at the latest; in `out` there has to be as much room as the text has bytes.
 */
export function copyText(input: Bytes, out: Bytes, places: Places): boolean {
  for (;;) {
    copyPlain(input, out, places)
    const byte = input.bytes[places.input]!
    if (byte === QUOTE) return true
    if (byte !== BACKSLASH || !putEscaped(input.bytes, out.bytes, places)) return false
  }
}

/** Copies up to the first byte that does not mean itself. */
export function copyPlain({ bytes, words }: Bytes, out: Bytes, places: Places): void {
  const outWords = out.words
  let { input: from, out: to } = places
  for (let word = words.getInt32(from, true); !hasSpecial(word); word = words.getInt32(from, true)) {
    outWords.setInt32(to, word, true)
    from += WORD_BYTES
    to += WORD_BYTES
  }
  while (!isSpecial(bytes[from]!)) out.bytes[to++] = bytes[from++]!
  places.input = from
  places.out = to
}

/** Decodes what begins with a backslash; returns false for what is left to JSON.parse. */
function putEscaped(bytes: Buffer, out: Buffer, places: Places): boolean {
  const letter = bytes[places.input + 1]!
  const meaning = letter < 128 ? ESCAPES[letter]! : 0
  if (meaning !== 0) {
    out[places.out++] = meaning
    places.input += 2
    return true
  }
  if (letter !== LETTER_U) return false
  const code = readHexadecimal(bytes, places.input + 2)
  // Beyond ASCII they are few (Docker writes U+2028 so); surrogate pairs and what is no number are for JSON.parse.
  if (code < 0 || (code >= 0xd800 && code < 0xe000)) return false
  places.out = putCharacter(out, places.out, code)
  places.input += 6
  return true
}

/** Four hexadecimal digits; -1 where they are none. */
function readHexadecimal(bytes: Buffer, at: number): number {
  let code = 0
  for (let index = at; index < at + 4; index++) {
    const byte = bytes[index]!
    const digit =
      byte >= 0x30 && byte <= 0x39
        ? byte - 0x30
        : (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66
          ? (byte | 0x20) - 0x57
          : -1
    if (digit < 0) return -1
    code = code * 16 + digit
  }
  return code
}

/** Writes a character in UTF-8; returns where it ends. */
function putCharacter(out: Buffer, at: number, code: number): number {
  let to = at
  if (code < 0x80) out[to++] = code
  else {
    if (code < 0x800) out[to++] = 0xc0 | (code >> 6)
    else {
      out[to++] = 0xe0 | (code >> 12)
      out[to++] = 0x80 | ((code >> 6) & 0x3f)
    }
    out[to++] = 0x80 | (code & 0x3f)
  }
  return to
}
