// The events that were written down, and those that are while we wait.

import { Changes } from '../system/changes.ts'
import { makeDirectories } from '../system/directory.ts'
import { RotatedFile, type Sink } from '../system/rotated-file.ts'
import { eventFile, type HappenedEvent } from './events.ts'
import type { Roots } from './state.ts'

export type RecordedEvent = HappenedEvent & {
  timeNs: bigint
  /** As it was written: one object of JSON with Docker's fields. */
  json: string
}

export type EventSpan = {
  /** Nanoseconds since 1970; undefined: from now on, or, where an end is given, from the first that is known. */
  sinceNs?: bigint
  /** Undefined: for ever. */
  untilNs?: bigint
}

const CHUNK_BYTES = 1 << 16
/** setTimeout takes no more. */
const LONGEST_WAIT_MS = 0x7fffffff

/**
 * Tells the events of a span, oldest first, and waits for those of the future. Damaged lines are passed over. What `tell`
 * throws ends it.
 */
export async function readEvents(
  roots: Roots,
  { sinceNs, untilNs }: EventSpan,
  tell: (event: RecordedEvent) => Promise<void>,
): Promise<void> {
  makeDirectories(roots.runRoot, 0o711)
  const startNs = BigInt(Date.now()) * 1_000_000n
  const changes = new Changes([roots.runRoot])
  const file = new RotatedFile(eventFile(roots))
  if (sinceNs === undefined && untilNs === undefined) file.skipToTail(0)
  const sink = new LineSink(async line => {
    const event = parseEvent(line)
    if (!event || event.timeNs < (sinceNs ?? 0n)) return
    if (untilNs === undefined || event.timeNs <= untilNs) await tell(event)
  })
  try {
    for (;;) {
      const leftMs = untilNs === undefined ? LONGEST_WAIT_MS : Number(untilNs / 1_000_000n) - Date.now()
      await file.readOn(sink)
      if (leftMs < 0 || (untilNs !== undefined && untilNs < startNs)) return
      await changes.next(Math.min(leftMs + 1, LONGEST_WAIT_MS))
    }
  } finally {
    changes.close()
    file.close()
  }
}

/** Whole lines out of pieces of a file. */
class LineSink implements Sink {
  private readonly chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  private rest = Buffer.alloc(0)
  private readonly line: (text: string) => Promise<void>

  constructor(line: (text: string) => Promise<void>) {
    this.line = line
  }

  space(): Buffer {
    return this.chunk
  }

  async take(sizeBytes: number): Promise<boolean> {
    const bytes = Buffer.concat([this.rest, this.chunk.subarray(0, sizeBytes)])
    const end = bytes.lastIndexOf(10) + 1
    this.rest = bytes.subarray(end)
    for (const text of bytes.toString('utf8', 0, end).split('\n').slice(0, -1)) await this.line(text)
    return true
  }

  endFile(): void {
    this.rest = Buffer.alloc(0)
  }
}

/** Undefined for a line that is damaged. The nanoseconds are too long for a number of JavaScript. */
function parseEvent(line: string): RecordedEvent | undefined {
  const time = /"timeNano":(\d+)\}$/.exec(line)
  if (!time) return undefined
  try {
    const { Type: type, Action: action, Actor: actor } = JSON.parse(line)
    const { ID: id, Attributes: attributes } = actor
    return { type, action, id, attributes, timeNs: BigInt(time[1]!), json: line }
  } catch {
    return undefined
  }
}
