// Docker's json-file lines, {"log":"…\n","stream":"stdout","time":"…"}, back into what the container printed.
//
// A log is long and its lines are all alike, so their bytes are read in one pass, four at a time, with no text made of them; a
// line of another shape, from another hand, goes through JSON.parse.

import { hasSpecial, holds, viewOf, WORD_BYTES, wordsOf } from './log-words.ts'
import { formatMoment, normaliseMoment } from './moment.ts'

export type LineOptions = {
  timestamps: boolean
  /** A space, where Docker has a line's attributes: minictr's lines have none. */
  details: boolean
  /** Nanoseconds since 1970: older lines are left out, and what comes after the first later one. */
  sinceNs?: bigint
  untilNs?: bigint
}

export type Stream = 'stdout' | 'stderr'

/** Bytes for one stream; they are good until the next `decode`. */
export type Segment = { stream: Stream; bytes: Buffer }

const [NEWLINE, QUOTE, BACKSLASH, SPACE, CLOSING_BRACE] = [10, 0x22, 0x5c, 0x20, 0x7d]
const [LETTER_E, LETTER_O, LETTER_U, LETTER_Z, DOT, ZERO] = [0x65, 0x6f, 0x75, 0x5a, 0x2e, 0x30]
/** What is read at once. */
const INPUT_BYTES = 1 << 20
const PREFIX = '{"log":"'
const BEGINNING = wordsOf(PREFIX)
const BEFORE_STREAM = wordsOf('","stream":"std')
const AFTER_STREAM = wordsOf('","time":"')
/** 2006-01-02T15:04:05, then a dot and nine digits, then Z. */
const SECONDS_LENGTH = 19
const TIME_LENGTH = 30
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

export class LineDecoder {
  /** Whether a line later than `untilNs` has come: none behind it is wanted. */
  isPastEnd = false
  private readonly options: LineOptions
  private readonly since: string | undefined
  private readonly until: string | undefined
  private readonly needsTime: boolean
  /** Begins with so many bytes of a line whose end has not come yet. */
  private input: Buffer = Buffer.alloc(0)
  private inputWords = viewOf(this.input)
  private restBytes = 0
  private out: Buffer = Buffer.alloc(0)
  private outWords = viewOf(this.out)
  private outAt = 0
  private segments: Segment[] = []
  private segmentStart = 0
  private stream: Stream = 'stdout'

  constructor(options: LineOptions) {
    this.options = options
    this.since = options.sinceNs === undefined ? undefined : formatMoment(options.sinceNs)
    this.until = options.untilNs === undefined ? undefined : formatMoment(options.untilNs)
    this.needsTime = options.timestamps || this.since !== undefined || this.until !== undefined
  }

  /** Where the next bytes of the log are to be put. */
  space(): Buffer {
    if (this.restBytes * 2 >= this.input.length) {
      const larger = Buffer.allocUnsafe(Math.max(INPUT_BYTES, this.input.length * 2))
      this.input.copy(larger, 0, 0, this.restBytes)
      this.input = larger
      this.inputWords = viewOf(larger)
    }
    return this.input.subarray(this.restBytes)
  }

  /**
   * Takes so many bytes, put into `space()`, and gives what the lines say that have ended. A line that is torn or damaged
   * says nothing.
   */
  decode(sizeBytes: number): Segment[] {
    const { input } = this
    const inputEnd = this.restBytes + sizeBytes
    const end = input.lastIndexOf(NEWLINE, inputEnd - 1) + 1
    this.segments = []
    this.outAt = 0
    this.segmentStart = 0
    // No line says more bytes than it has, a time in front of it among them.
    if (this.out.length < end) {
      this.out = Buffer.allocUnsafe(input.length)
      this.outWords = viewOf(this.out)
    }
    this.readLines(input, end)
    this.endSegment()
    input.copyWithin(0, end, inputEnd)
    this.restBytes = inputEnd - end
    return this.segments
  }

  /** Forgets a line that was not finished: the file it is in has ended. */
  forgetRest(): void {
    this.restBytes = 0
  }

  private readLines(bytes: Buffer, end: number): void {
    for (let at = 0; at < end && !this.isPastEnd; ) {
      const next = this.plainLine(bytes, at)
      if (next > 0) at = next
      else {
        const lineEnd = bytes.indexOf(NEWLINE, at)
        this.oddLine(bytes.toString('utf8', at, lineEnd))
        at = lineEnd + 1
      }
    }
  }

  /** Reads a line of the usual shape; returns where the next one begins, or 0 for a line of another. */
  private plainLine(bytes: Buffer, start: number): number {
    const { out, inputWords: words } = this
    if (!holds(words, start, BEGINNING)) return 0
    const lineStart = this.outAt
    let to = lineStart
    if (this.options.timestamps) to += TIME_LENGTH + 1
    if (this.options.details) out[to++] = SPACE
    const plain = this.copyPlain(start + BEGINNING.sizeBytes, to)
    let at = start + BEGINNING.sizeBytes + plain
    to += plain
    let byte = bytes[at]!
    while (byte !== QUOTE) {
      if (byte !== BACKSLASH) {
        if (byte === NEWLINE) return 0
        out[to++] = byte
        byte = bytes[++at]!
        continue
      }
      const letter = bytes[at + 1]!
      const meaning = letter < 128 ? ESCAPES[letter]! : 0
      if (meaning !== 0) {
        out[to++] = meaning
        at += 2
      } else {
        if (letter !== LETTER_U) return 0
        const code = readHexadecimal(bytes, at + 2)
        // Beyond ASCII they are few (Docker writes U+2028 so); surrogate pairs and what is no number are for JSON.parse.
        if (code < 0 || (code >= 0xd800 && code < 0xe000)) return 0
        to = putCharacter(out, to, code)
        at += 6
      }
      byte = bytes[at]!
    }
    if (!holds(words, at, BEFORE_STREAM)) return 0
    at += BEFORE_STREAM.sizeBytes
    const letter = bytes[at]!
    if (letter !== LETTER_O && letter !== LETTER_E) return 0
    at += 3
    if (!holds(words, at, AFTER_STREAM)) return 0
    const timeStart = at + AFTER_STREAM.sizeBytes
    at = timeStart + SECONDS_LENGTH
    while (bytes[at]! !== QUOTE) if (bytes[at++] === NEWLINE || at >= bytes.length) return 0
    if (bytes[at - 1] !== LETTER_Z || bytes[at + 1] !== CLOSING_BRACE || bytes[at + 2] !== NEWLINE) return 0
    const next = at + 3
    if (this.needsTime) {
      if (at - timeStart > TIME_LENGTH) return 0
      const time = fullTime(bytes, timeStart, at)
      if (!this.isWanted(time)) return next
      if (this.options.timestamps) {
        out.write(time, lineStart, 'latin1')
        out[lineStart + TIME_LENGTH] = SPACE
      }
    }
    this.take(letter === LETTER_O ? 'stdout' : 'stderr', to)
    return next
  }

  /** Copies bytes as long as whole words of them mean themselves; returns how many. */
  private copyPlain(from: number, to: number): number {
    const { inputWords, outWords } = this
    const most = Math.min(inputWords.byteLength - from, outWords.byteLength - to) - WORD_BYTES
    let count = 0
    for (; count <= most; count += WORD_BYTES) {
      const word = inputWords.getInt32(from + count, true)
      if (hasSpecial(word)) break
      outWords.setInt32(to + count, word, true)
    }
    return count
  }

  /** A line of another shape: from another program, or with times of another zone. */
  private oddLine(line: string): void {
    const found = parseLine(line)
    if (!found || !this.isWanted(found.time)) return
    const { timestamps, details } = this.options
    const text = `${timestamps ? `${found.time} ` : ''}${details ? ' ' : ''}${found.log}`
    this.endSegment()
    this.segments.push({ stream: found.stream, bytes: Buffer.from(text) })
  }

  private isWanted(time: string): boolean {
    if (this.until !== undefined && time > this.until) this.isPastEnd = true
    return !this.isPastEnd && (this.since === undefined || time >= this.since)
  }

  /** The line has been written out up to `end`. */
  private take(stream: Stream, end: number): void {
    if (stream !== this.stream) {
      this.endSegment()
      this.stream = stream
    }
    this.outAt = end
  }

  private endSegment(): void {
    if (this.outAt > this.segmentStart)
      this.segments.push({ stream: this.stream, bytes: this.out.subarray(this.segmentStart, this.outAt) })
    this.segmentStart = this.outAt
  }
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

/** The time from `start` to before `end`, with all nine digits of its fraction, which Go cuts at the last that is not 0. */
function fullTime(bytes: Buffer, start: number, end: number): string {
  if (end - start === TIME_LENGTH) return bytes.toString('latin1', start, end)
  const text = bytes.toString('latin1', start, end - 1)
  const fraction = bytes[start + SECONDS_LENGTH] === DOT ? text : `${text}.`
  return `${fraction.padEnd(TIME_LENGTH - 1, String.fromCharCode(ZERO))}Z`
}

/** A torn line may have been gone on with by a later run's first: no line says {"log":" without escapes. */
function parseLine(line: string): { log: string; stream: Stream; time: string } | undefined {
  const whole = line.slice(Math.max(0, line.lastIndexOf(PREFIX)))
  let value: unknown
  try {
    value = JSON.parse(whole)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { log, stream, time } = value as Record<string, unknown>
  const moment = typeof time === 'string' ? normaliseMoment(time) : undefined
  if (typeof log !== 'string' || moment === undefined) return undefined
  return { log, stream: stream === 'stderr' ? 'stderr' : 'stdout', time: moment }
}
