// What is kept of a command for the next one like it: messages, which the launcher's helper sends again without Node, as long as
// nothing has changed that they were made from (native/kept.c, docs/decisions/kept.md).

import { statSync } from 'node:fs'
import { containerLock, LateValues } from '../runtime/late-values.ts'
import { type Executor, helperPath } from '../system/executor.ts'
import { type Arg, encodeRequest } from '../system/wire.ts'
import { eventLine, type HappenedEvent } from './events.ts'
import type { containerPaths } from './state.ts'

type Paths = ReturnType<typeof containerPaths>

/** Characters that no JSON has: native/kept_events.c puts something in their places. */
export const gap = { command: '\u0001', id: '\u0002', status: '\u0003' }
const timeGap = { seconds: '\u0004', nanoseconds: '\u0005' }

/**
 * Has `host` keep this in the run directory of the container, where it goes with the run. Nothing is kept where that cannot be, or
 * while somebody starts, ends or changes the container: who removes that directory is to find no new file in it.
 */
export function keep(paths: Paths, path: string, kind: string, args: Arg[], host: Executor): void {
  const content = encodeRequest([{ name: kind, args }])
  const lock = new LateValues().slot(containerLock)
  host.tell([
    { name: 'lock', args: [paths.lock, 0, lock] },
    { name: 'write_file', args: ['', `${path}.new`, content, 0, 0o600] },
    { name: 'rename', args: ['', `${path}.new`, path] },
  ])
  host.tell([{ name: 'close', args: [lock] }]) // by itself: whatever could not be done before, nobody is to wait for the lock
}

/** What must be as it is for what is kept to hold: these files, and whoever performs it, who is to speak the same language. */
export function unchanged(...files: string[]): string[] {
  return ['/proc/self/exe', stampOf(helperPath()), ...files.flatMap(file => [file, stampOf(file)])]
}

/** A file that is another one by now, or has been written since, has another stamp; one that is not there has none. */
export function stampOf(path: string): string {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false })
  return status ? `${status.ino}:${status.size}:${status.mtimeNs}` : ''
}

/** Whether something in it looks like a gap; then no event can be kept that tells it. */
export function hasGaps(told: object): boolean {
  return /\\u000[1-5]/.test(JSON.stringify(told))
}

/** The lines of events with gaps in them. */
export function linesWithGaps(events: HappenedEvent[]): string {
  return events
    .map(event => eventLine(event, 0n))
    .join('')
    .replace(/\\u000([1-5])/g, (_, digit) => String.fromCharCode(Number(digit)))
    .replace(/"time":0,"timeNano":0\}\n/g, `"time":${timeGap.seconds},"timeNano":${timeGap.nanoseconds}}\n`)
}
