// What is kept of an exec for those like it: its messages, with a gap where the command stands. The launcher's helper performs
// them again without Node, which has nothing to decide then (native/exec.c, docs/decisions/kept-exec.md).

import { statSync } from 'node:fs'
import { containerLock, LateValues } from '../runtime/late-values.ts'
import { callOf } from '../runtime/ops.ts'
import { searchedDirectories } from '../runtime/steps/program.ts'
import { type Executor, helperPath } from '../system/executor.ts'
import { encodeIncomplete, encodeRequest } from '../system/wire.ts'
import { eventFile, eventLine, type HappenedEvent, MAX_EVENT_BYTES } from './events.ts'
import { endEvent, startEvents } from './exec-events.ts'
import type { ExecOptions } from './exec-session.ts'
import { containerFreezer } from './frozen.ts'
import type { PlannedExec } from './plan-exec.ts'
import { containerPaths, type Roots } from './state.ts'

/** Characters that no JSON has: native/kept_events.c puts something in their places. */
const gap = { command: '\u0001', id: '\u0002', status: '\u0003', seconds: '\u0004', nanoseconds: '\u0005' }

/**
 * Has `host` keep what was planned in the run directory of the container, where it goes with the run. Nothing is kept where that
 * cannot be, or while somebody starts, ends or changes the container: who removes that directory is to find no new file in it.
 */
export function keepExec(
  planned: PlannedExec,
  { interactive }: ExecOptions,
  roots: Roots,
  host: Executor,
): void {
  const { id, container, plan, spec } = planned
  const paths = containerPaths(roots, id)
  const late = new LateValues()
  const [outside, inside] = (['host', 'container'] as const).map(side =>
    plan.steps.filter(step => step.side === side).flatMap(({ ops }) => ops.map(op => callOf(op, late))),
  )
  const templates = eventTemplates({ id, record: planned.record })
  if (late.isLacking || templates === undefined) return
  const { before, behind } = encodeIncomplete(inside!, 2)
  const freezer = containerFreezer({ id, spec })
  const spawning = [{ name: 'reap_early', args: [] }, ...outside!].map(call => encodeRequest([call]))
  const forks = inside!.findLastIndex(({ name }) => name === 'fork')
  const files: [name: string, path: string][] = [
    ['/proc/self/exe', helperPath()], // whoever performs it speaks the same language
    [paths.config, paths.config],
    [paths.record, paths.record],
  ]
  const args = [
    files.flatMap(([name, path]) => [name, stampOf(path)]),
    [freezer.path, freezer.thawed],
    searchedDirectories(spec.process.env),
    Buffer.concat(spawning),
    before,
    behind,
    inside!.length,
    forks,
    encodeRequest([{ name: 'watch', args: [container.pid] }]),
    [eventFile(roots), String(MAX_EVENT_BYTES), ...templates],
  ]
  const content = encodeRequest([{ name: 'kept_exec', args }])
  const path = paths.keptExec(interactive)
  const lock = late.slot(containerLock)
  host.tell([
    { name: 'lock', args: [paths.lock, 0, lock] },
    { name: 'write_file', args: ['', `${path}.new`, content, 0, 0o600] },
    { name: 'rename', args: ['', `${path}.new`, path] },
    { name: 'close', args: [lock] },
  ])
}

/** A file that is another one by now, or has been written since, has another stamp. */
function stampOf(path: string): string {
  const { ino, mtimeNs } = statSync(path, { bigint: true })
  return `${ino}:${mtimeNs}`
}

/** The lines of the events at the start and at the end; undefined where something in them looks like a gap. */
function eventTemplates(container: Parameters<typeof startEvents>[0]): [string, string] | undefined {
  const line = (event: HappenedEvent) => eventLine(event, 0n)
  const own = line(endEvent(container, '', ''))
  if (/\\u000[1-5]/.test(own)) return undefined
  const start = startEvents(container, gap.command, gap.id).map(line).join('')
  const end = line(endEvent(container, gap.status, gap.id))
  return [withGaps(start), withGaps(end)]
}

function withGaps(lines: string): string {
  return lines
    .replace(/\\u000([1-5])/g, (_, digit) => String.fromCharCode(Number(digit)))
    .replace(/"time":0,"timeNano":0\}\n/g, `"time":${gap.seconds},"timeNano":${gap.nanoseconds}}\n`)
}
