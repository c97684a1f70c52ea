// Docker's json-file lines, {"log":"…\n","stream":"stdout","time":"…"}, back into what the container printed.
//
// A log is long and its lines are all alike, so their bytes are read in one pass, four at a time, with no text made of them; a
// line of another shape, from another hand, goes through JSON.parse.

import { copyPlain, copyText, type Places } from './log-text.ts'
import { holds, newBytes, wordsOf } from './log-words.ts'
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

const [NEWLINE, SPACE, QUOTE, DOT, LETTER_E] = [10, 0x20, 0x22, 0x2e, 0x65]
/** What is read at once: with what is made of it, it stays in the processor's cache, and a reader has something to do meanwhile. */
export const INPUT_BYTES = 1 << 17
const PREFIX = '{"log":"'
const BEGINNING = wordsOf(PREFIX)
const AFTER_STDOUT = wordsOf('","stream":"stdout","time":"')
const AFTER_STDERR = wordsOf('","stream":"stderr","time":"')
/** Where the two differ first. */
const STREAM_AT = '","stream":"std'.length
/** Of nearly every line. */
const LINE_END = wordsOf('\\n",')
const AFTER_TIME = wordsOf('Z"}\n')
/** 2006-01-02T15:04:05, then a dot and nine digits, then Z. */
const SECONDS_LENGTH = 19
const TIME_LENGTH = 30

export class LineDecoder {
  /** Whether a line later than `untilNs` has come: none behind it is wanted. */
  isPastEnd = false
  private readonly options: LineOptions
  private readonly since: string | undefined
  private readonly until: string | undefined
  private readonly needsTime: boolean
  /** Begins with so many bytes of a line whose end has not come yet. */
  private input = newBytes(0)
  private restBytes = 0
  private out = newBytes(0)
  private outAt = 0
  private readonly places: Places = { input: 0, out: 0 }
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
    const { bytes } = this.input
    if (this.restBytes * 2 >= bytes.length) {
      this.input = newBytes(Math.max(INPUT_BYTES, bytes.length * 2))
      bytes.copy(this.input.bytes, 0, 0, this.restBytes)
    }
    return this.input.bytes.subarray(this.restBytes)
  }

  /**
   * Takes so many bytes, put into `space()`, and gives what the lines say that have ended. A line that is torn or damaged
   * says nothing.
   */
  decode(sizeBytes: number): Segment[] {
    const { bytes } = this.input
    const inputEnd = this.restBytes + sizeBytes
    const end = bytes.lastIndexOf(NEWLINE, inputEnd - 1) + 1
    this.segments = []
    this.outAt = 0
    this.segmentStart = 0
    // No line says more bytes than it has, a time in front of it among them.
    if (this.out.bytes.length < end) this.out = newBytes(bytes.length)
    this.readLines(end)
    this.endSegment()
    bytes.copyWithin(0, end, inputEnd)
    this.restBytes = inputEnd - end
    return this.segments
  }

  /** Forgets a line that was not finished: the file it is in has ended. */
  forgetRest(): void {
    this.restBytes = 0
  }

  private readLines(end: number): void {
    const { bytes } = this.input
    for (let at = 0; at < end && !this.isPastEnd; ) {
      const next = this.plainLine(at)
      if (next > 0) at = next
      else {
        const lineEnd = bytes.indexOf(NEWLINE, at)
        this.oddLine(bytes.toString('utf8', at, lineEnd))
        at = lineEnd + 1
      }
    }
  }

  /** Reads a line of the usual shape; returns where the next one begins, or 0 for a line of another. */
  private plainLine(start: number): number {
    const { input, out, places, options } = this
    const { bytes, words } = input
    if (!holds(words, start, BEGINNING)) return 0
    places.input = start + BEGINNING.sizeBytes
    places.out = this.outAt
    if (options.timestamps) places.out += TIME_LENGTH + 1
    if (options.details) out.bytes[places.out++] = SPACE
    copyPlain(input, out, places)
    if (holds(words, places.input, LINE_END)) {
      out.bytes[places.out++] = NEWLINE
      places.input += 2
    } else if (!copyText(input, out, places)) return 0
    const isError = bytes[places.input + STREAM_AT] === LETTER_E
    const afterText = isError ? AFTER_STDERR : AFTER_STDOUT
    if (!holds(words, places.input, afterText)) return 0
    const timeAt = places.input + afterText.sizeBytes
    let timeEnd = timeAt + SECONDS_LENGTH
    while (bytes[timeEnd] !== QUOTE) if (timeEnd >= bytes.length || bytes[timeEnd++] === NEWLINE) return 0
    if (!holds(words, timeEnd - 1, AFTER_TIME)) return 0
    const next = timeEnd - 1 + AFTER_TIME.sizeBytes
    if (this.needsTime) {
      if (timeEnd - timeAt > TIME_LENGTH) return 0
      const time = fullTime(bytes, timeAt, timeEnd)
      if (!this.isWanted(time)) return next
      if (options.timestamps) out.bytes.write(`${time} `, this.outAt, 'latin1')
    }
    this.take(isError ? 'stderr' : 'stdout', places.out)
    return next
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
      this.segments.push({
        stream: this.stream,
        bytes: this.out.bytes.subarray(this.segmentStart, this.outAt),
      })
    this.segmentStart = this.outAt
  }
}

/** The time from `start` to before `end`, with all nine digits of its fraction, which Go cuts at the last that is not 0. */
function fullTime(bytes: Buffer, start: number, end: number): string {
  if (end - start === TIME_LENGTH) return bytes.toString('latin1', start, end)
  const text = bytes.toString('latin1', start, end - 1)
  const fraction = bytes[start + SECONDS_LENGTH] === DOT ? text : `${text}.`
  return `${fraction.padEnd(TIME_LENGTH - 1, '0')}Z`
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
