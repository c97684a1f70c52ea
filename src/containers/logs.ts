// Reading what a container has printed, from its log's files, and following what it prints.

import { Journal } from '../runtime/journal.ts'
import { Changes } from '../system/changes.ts'
import { MinictrError } from '../system/error.ts'
import { isRunning } from '../system/process-identity.ts'
import { RotatedFile, type Sink } from '../system/rotated-file.ts'
import { readJson } from './json-file.ts'
import { LineDecoder, type LineOptions, type Segment } from './log-lines.ts'
import type { ContainerRecord } from './record.ts'
import { containerPaths, type Roots, readContainer } from './state.ts'

export type LogReading = LineOptions & {
  /** Only so many lines from the end, those that `sinceNs` leaves out among them; undefined: all. */
  tail?: number
  /** Go on until the container has ended. */
  follow: boolean
}

/** The end of a killed monitor leaves no trace in the directories that are watched. */
const LOOK_AGAIN_MS = 1000

/**
 * Gives the container's log to `write`, piece by piece in the order of printing, through all its files. Throws MinictrError,
 * in Docker's words, for a container without a log; what `write` throws ends the reading.
 */
export async function readLog(
  roots: Roots,
  id: string,
  { tail, follow, ...lines }: LogReading,
  write: (segment: Segment) => Promise<void>,
): Promise<void> {
  const { directory, runDirectory, record, log: logFile } = containerPaths(roots, id)
  refuseWithoutLog(record)
  const changes = follow ? new Changes([directory, runDirectory]) : undefined
  const log = new RotatedFile(logFile)
  const decoder = new LineDecoder(lines)
  const sink: Sink = {
    space: () => decoder.space(),
    async take(sizeBytes) {
      for (const segment of decoder.decode(sizeBytes)) await write(segment)
      return !decoder.isPastEnd
    },
    endFile: () => decoder.forgetRest(),
  }
  try {
    if (tail !== undefined) log.skipToTail(tail)
    for (;;) {
      // Asked before reading: what it printed before its end is in the file by then.
      const isOver = !changes || !isGoingOn(roots, id)
      await log.readOn(sink)
      if (isOver || decoder.isPastEnd) return
      await changes.next(LOOK_AGAIN_MS)
    }
  } finally {
    changes?.close()
    log.close()
  }
}

/** Whether more may come: it runs, its monitor still writes, or it is to be started again. */
function isGoingOn(roots: Roots, id: string): boolean {
  const { runDirectory } = containerPaths(roots, id)
  const status = readContainer(roots, id)?.status
  if (status === 'running' || status === 'restarting') return true
  const owner = new Journal(runDirectory).owner()
  return owner !== undefined && isRunning(owner)
}

function refuseWithoutLog(recordFile: string): void {
  if (readJson<ContainerRecord>(recordFile)?.log.driver !== 'none') return
  throw new MinictrError('configured logging driver does not support reading', {
    remedy: 'It was made with --log-driver none; what it prints is kept nowhere.',
  })
}
