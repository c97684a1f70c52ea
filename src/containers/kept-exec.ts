// What is kept of an exec for those like it: its messages, with a gap where the command stands (native/kept_exec.c).

import { LateValues } from '../runtime/late-values.ts'
import { callOf } from '../runtime/ops.ts'
import { searchedDirectories } from '../runtime/steps/program.ts'
import type { Executor } from '../system/executor.ts'
import { encodeIncomplete, encodeRequest } from '../system/wire.ts'
import { eventFile, MAX_EVENT_BYTES } from './events.ts'
import { endEvent, startEvents } from './exec-events.ts'
import type { ExecOptions } from './exec-session.ts'
import { containerFreezer } from './frozen.ts'
import { readJson } from './json-file.ts'
import { gap, hasGaps, keep, linesWithGaps, unchanged } from './kept.ts'
import type { PlannedExec } from './plan-exec.ts'
import { containerPaths, type Roots } from './state.ts'

/** Has `host` keep what was planned, unless the plan depends on more than it says. */
export function keepExec(
  planned: PlannedExec,
  { interactive }: ExecOptions,
  roots: Roots,
  host: Executor,
): void {
  const { id, container, plan, record, spec } = planned
  const paths = containerPaths(roots, id)
  const late = new LateValues()
  const [outside, inside] = (['host', 'container'] as const).map(side =>
    plan.steps.filter(step => step.side === side).flatMap(({ ops }) => ops.map(op => callOf(op, late))),
  )
  const asItIs = unchanged(paths.config, paths.record)
  // It may have been renamed since it was read: then this plan tells of the former name, and those files are of the new one.
  const isAsRead = JSON.stringify(readJson(paths.record)) === JSON.stringify(record)
  if (late.isLacking || hasGaps(record) || !isAsRead) return
  const { before, behind } = encodeIncomplete(inside!, 2)
  const freezer = containerFreezer({ id, spec })
  const spawning = [{ name: 'reap_early', args: [] }, ...outside!].map(call => encodeRequest([call]))
  const start = linesWithGaps(startEvents({ id, record }, gap.command, gap.id))
  const end = linesWithGaps([endEvent({ id, record }, gap.status, gap.id)])
  const args = [
    asItIs,
    [freezer.path, freezer.thawed],
    searchedDirectories(spec.process.env),
    Buffer.concat(spawning),
    before,
    behind,
    inside!.length,
    inside!.findLastIndex(({ name }) => name === 'fork'),
    encodeRequest([{ name: 'watch', args: [container.pid] }]),
    [eventFile(roots), String(MAX_EVENT_BYTES), start, end],
  ]
  keep(paths, paths.keptExec(interactive), 'kept_exec', args, host)
}
