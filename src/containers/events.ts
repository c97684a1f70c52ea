// Events: what happened to containers, images, networks and volumes, one JSON line each, written by whoever did it.

import { appendFileSync, fstatSync, renameSync, statSync } from 'node:fs'
import { makeDirectories } from '../system/directory.ts'
import { ifLockable } from '../system/lock.ts'

export type EventType = 'container' | 'image' | 'volume' | 'network' | 'daemon'

export type HappenedEvent = {
  type: EventType
  /** Docker's word: create, start, die, exec_start: sh, health_status: healthy, … */
  action: string
  /** The id of a container, the name of an image or a volume. */
  id: string
  /** For a container `image`, `name` and its labels; for `die` also exitCode. */
  attributes: Record<string, string>
}

/** A file that has grown to this becomes events.jsonl.1, in place of the one before. */
export const MAX_EVENT_BYTES = 1_000_000

/** Where the events are; those before them are in the file of this name with `.1` behind it. */
export function eventFile({ runRoot }: { runRoot: string }): string {
  return `${runRoot}/events.jsonl`
}

/**
 * Adds an event to <run-root>/events.jsonl, in one write at the end of the file (O_APPEND), so that many commands may do
 * so at once. Never throws: what was done is done, whether it can be told or not.
 */
export function recordEvent(roots: { runRoot: string }, event: HappenedEvent): void {
  const file = eventFile(roots)
  const line = eventLine(event, nowNanoseconds())
  try {
    append(file, line, roots.runRoot)
    if (statSync(file).size >= MAX_EVENT_BYTES) rotate(file)
  } catch {
    // A full or read-only disk: told to nobody, as there is nobody to tell.
  }
}

/** Others find it full at the same time: the file that has come in its place by now is not to take the place of the full one. */
function rotate(file: string): void {
  ifLockable(file, fd => {
    if (fstatSync(fd).size >= MAX_EVENT_BYTES) renameSync(file, `${file}.1`)
  })
}

function append(file: string, line: string, directory: string): void {
  try {
    appendFileSync(file, line, { mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    makeDirectories(directory, 0o711)
    appendFileSync(file, line, { mode: 0o600 })
  }
}

/**
 * The line of an event, with the fields of Docker's API in Docker's order (moby, api/types/events). The nanoseconds are
 * a number too long for JavaScript, so they are put in as text.
 */
export function eventLine({ type, action, id, attributes }: HappenedEvent, timeNano: bigint): string {
  const from = type === 'container' ? attributes.image : undefined
  const old =
    type === 'container' || type === 'image'
      ? { status: action, id, ...(from !== undefined && { from }) }
      : {}
  const fields = {
    ...old,
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: 'local',
    time: Number(timeNano / 1_000_000_000n),
  }
  return `${JSON.stringify(fields).slice(0, -1)},"timeNano":${timeNano}}\n`
}

const MAX_DRIFT_NS = 10_000_000n

let clockOffset: bigint | undefined

/** Later calls give later times, also within one millisecond of the clock; unless somebody has set that, or the machine has slept. */
function nowNanoseconds(): bigint {
  const monotonic = process.hrtime.bigint()
  const offset = BigInt(Date.now()) * 1_000_000n - monotonic
  const drift = clockOffset === undefined ? undefined : offset - clockOffset
  if (drift === undefined || drift > MAX_DRIFT_NS || drift < -MAX_DRIFT_NS) clockOffset = offset
  return clockOffset! + monotonic
}
