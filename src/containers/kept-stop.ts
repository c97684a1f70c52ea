// What is kept of a container's stop, from its start on: all messages and lines that `stop` without flags would send and write, with
// gaps for the time and the status (native/kept_stop.c). Only for a container whose end nobody has to decide anything about.

import { LateValues } from '../runtime/late-values.ts'
import type { Op } from '../runtime/op.ts'
import { signalNumber } from '../runtime/ops/running.ts'
import { callOf } from '../runtime/ops.ts'
import { goesByItself } from '../runtime/perform.ts'
import type { Step } from '../runtime/step.ts'
import { unlockContainer } from '../runtime/steps/container-files.ts'
import type { Executor } from '../system/executor.ts'
import { hostFacts } from '../system/host-facts.ts'
import { encodeRequest } from '../system/wire.ts'
import { containerLockOp } from './container-lock.ts'
import { eventFile, type HappenedEvent, MAX_EVENT_BYTES } from './events.ts'
import { containerEvent } from './events-of-container.ts'
import { containerFreezer } from './frozen.ts'
import { gap, hasGaps, keep, linesWithGaps, stampOf, unchanged } from './kept.ts'
import { memoryEventFile, memoryEvents, tellsOfKills } from './out-of-memory.ts'
import type { RunSettings } from './plan-run.ts'
import { stopSignalOf } from './program.ts'
import { NO_RESTART } from './restart-policy.ts'
import { stoppedMark } from './restart-wait.ts'
import { type Container, containerPaths, type Roots, readContainer } from './state.ts'
import { planStop } from './stop.ts'
import { nameOfSignal } from './termination.ts'

/** Has `host` keep the stop of a container that has just been started and is left to itself. */
export async function keepStop(settings: RunSettings, id: string, host: Executor): Promise<void> {
  const paths = containerPaths(settings, id)
  // Before they are read; the journal is the last one.
  const files = unchanged(paths.config, paths.record, paths.lifecycle, `${paths.runDirectory}/journal`)
  const container = readContainer(settings, id)
  if (!container || !isKeepable(container)) return
  const memory = memoryOf(id)
  if (tellsOfKills(memory.events)) return
  const { steps } = await planStop(container, settings, {})
  const { locking, marking, asking, ending, undoing } = messagesOf(steps, container, settings)
  const freezer = containerFreezer(container)
  const args = [
    files,
    [freezer.path, freezer.thawed],
    ...[locking, marking, asking, ending],
    [...[paths.exitRecord, stampOf(paths.exitRecord)], ...[memory.file, memory.events], ...files.slice(-2)],
    undoing,
    [eventFile(settings), String(MAX_EVENT_BYTES), ...(await linesOf(container, settings))],
  ]
  keep(paths, paths.keptStop, 'kept_stop', args, host)
}

/** Its end asks for nothing: no restart, no removal, no last word on its health. One that is killed at once needs no plan. */
function isKeepable({ status, lifecycle, record }: Container): boolean {
  const { health, removeAtExit, restart = NO_RESTART } = record
  const asksForMore = restart.name !== 'no' || health !== undefined || removeAtExit
  if (status !== 'running' || !lifecycle || asksForMore || hasGaps(record)) return false
  return nameOfSignal(stopSignalOf(record)) !== 'SIGKILL'
}

/** All that `stopContainer` sends, in its order, with what it writes in between as acts of the executor's. */
function messagesOf(steps: Step[], { id, lifecycle }: Container, roots: Roots) {
  const paths = containerPaths(roots, id)
  const late = new LateValues()
  const message = (ops: Op[]) => encodeRequest(ops.map(op => callOf(op, late)))
  const [asked, locked] = ['kill-process', 'lock-container'].map(id =>
    steps.findIndex(step => step.id === id),
  )
  const opsOf = (from: number, to?: number) => steps.slice(from, to).map(({ ops }) => ops)
  const undone = Object.groupBy(opsOf(locked! + 1), ops => (ops.some(goesByItself) ? 'later' : 'now'))
  return {
    locking: message([containerLockOp(roots, id)]),
    marking: message([
      ...replacing(paths.lifecycle, { ...lifecycle, ...stoppedMark(false) }),
      unlockContainer,
    ]),
    asking: message(opsOf(0, asked).flat()),
    ending: message(opsOf(asked!, locked! + 1).flat()),
    undoing: Buffer.concat([
      message([{ op: 'unlink', path: paths.runState, tolerate: ['ENOENT'] }, ...(undone.now ?? []).flat()]),
      message((undone.later ?? []).flat()),
    ]),
  }
}

/** `replaceFile` as ops. */
function replacing(path: string, content: object): Op[] {
  const aside = `${path}.tmp`
  return [
    { op: 'write_file', path: aside, content: JSON.stringify(content), how: 'create', mode: 0o600 },
    { op: 'rename', path: aside, to: path },
  ]
}

/** Where the kernel counts what it kills for want of memory, and what it says now; nothing where it counts none. */
function memoryOf(id: string): { file: string; events: string } {
  const file = memoryEventFile(id, hostFacts())
  return file === undefined ? { file: '', events: '' } : { file, events: memoryEvents(file) }
}

/** A run without networks loads nothing of them. */
async function leavingEvents(roots: Roots, id: string): Promise<HappenedEvent[]> {
  const { networkEvents } = await import('./network-events.ts')
  return networkEvents(roots, id, 'disconnect')
}

/** The events at the signal, at the end, and when all is done. */
async function linesOf(container: Container, roots: Roots): Promise<string[]> {
  const { id, record } = container
  const told = (action: string, more: Record<string, string> = {}) => containerEvent(container, action, more)
  const left = record.networks.length > 0 ? await leavingEvents(roots, id) : []
  return [
    [told('kill', { signal: String(signalNumber(stopSignalOf(record))) })],
    [told('die', { exitCode: gap.status }), ...left],
    [told('stop')],
  ].map(linesWithGaps)
}
