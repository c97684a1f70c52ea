// The end of a run: told once, and undone. Whoever comes first does it (the command that waits, the one that stops, what the
// monitor starts, any later command after a crash), and the container's lock lets them in one after the other.

import { existsSync, unlinkSync } from 'node:fs'
import { Journal, type JournalEntry } from '../runtime/journal.ts'
import type { Observer } from '../runtime/perform.ts'
import type { Plan, Undo } from '../runtime/step.ts'
import type { Executor } from '../system/executor.ts'
import { hostFacts } from '../system/host-facts.ts'
import { isSameProcess, type ProcessIdentity } from '../system/process-identity.ts'
import { withContainerLock } from './container-lock.ts'
import { recordContainerEvent } from './events-of-container.ts'
import { ifWritable, readJson, replaceFile } from './json-file.ts'
import { wasOutOfMemory } from './out-of-memory.ts'
import type { RunSettings } from './plan-run.ts'
import { type Removal, removal, undoRemoval } from './removal.ts'
import { NO_RESTART } from './restart-policy.ts'
import {
  type Container,
  containerPaths,
  type ExitRecord,
  type Roots,
  type RunState,
  readContainer,
  recordUnknownExit,
} from './state.ts'

export type EndOptions = {
  /** Which run is meant: that of this monitor, as its journal tells; undefined where the journal names none. */
  owner: ProcessIdentity | undefined
  /** The status, where the caller knows it; else that of the container's exit record. */
  exitStatus?: number
  observer?: Observer
  /** The plan that has the undoing as its last steps. */
  within?: Plan
  /** The container goes as well (rm -f). */
  removal?: Removal
}

/**
 * `died`: the container whose end was told; undefined where somebody else has told it. `failed`: what could not be undone.
 * `quit`: somebody who watched did not go on, and the rest is left to be undone. `runsAgain`: another run has begun meanwhile.
 */
export type Ended = { died?: Container; failed: string[]; quit?: true; runsAgain?: true }

/**
 * Tells that the container died, and undoes what its run has left in the reverse order of its journal; one that goes at its
 * end (--rm) is removed, and one whose restart policy asks for it is waited for. What was never wholly made is undone as
 * well. Does nothing where somebody else has done so, be it that the container runs again by now. `host` performs it.
 * Throws MinictrError where somebody else does not let go of the container's lock.
 */
export async function endRun(
  roots: RunSettings,
  id: string,
  host: Executor,
  options: EndOptions,
): Promise<Ended> {
  return await withContainerLock(roots, id, host, () => endLocked(roots, id, host, options))
}

/** The same for whoever has the container's lock. */
export async function endLocked(
  roots: RunSettings,
  id: string,
  host: Executor,
  { owner, exitStatus, observer, within, removal }: EndOptions,
): Promise<Ended> {
  const paths = containerPaths(roots, id)
  const journal = new Journal(paths.runDirectory)
  // Somebody else has ended it, be it that the container runs again by now; `rm -f` has more to do then.
  const isOver = !isSameProcess(journal.owner(), owner) || !existsSync(paths.runDirectory)
  if (isOver && !removal) return { failed: [] }
  const container = readContainer(roots, id)
  if (isOver && container?.status === 'running') return { failed: [], runsAgain: true }
  const hasRun = container?.lifecycle !== undefined
  const isDead = hasRun && readJson<RunState>(paths.runState) !== undefined
  if (isDead && !container.exit && !container.record.removeAtExit) recordUnknownExit(roots, id)
  // First of all: from here on a file in the run root has it restarted, whoever is killed. One that is there already may be of a
  // restart that was killed half-way.
  if (isDead || existsSync(paths.restartWait)) await awaitRestart(roots, id)
  if (isDead) {
    if (container.record.health) {
      const { keepHealth } = await import('./health.ts')
      ifWritable(() => keepHealth(roots, id))
    }
    if (wasOutOfMemory(id, hostFacts())) tellOutOfMemory(roots, container)
    const status = exitStatus ?? container.exit?.exitStatus
    recordContainerEvent(roots, container, 'die', { exitCode: String(status ?? 'unknown') })
    if (container.record.networks.length > 0) await tellOfNetworks(roots, id)
    // Where that cannot be the journal stays as well, and says so.
    ifWritable(() => unlinkSync(paths.runState))
  }
  const left = await leftToUndo(roots, id, container, removal)
  const undoing = await undoRemoval(roots, id, left, host, journal.forgetting(), { observer, within })
  const { failed, quit } = undoing
  const isWhole = failed.length === 0 && !quit
  if (container && isWhole && removalAtEnd(container, removal))
    recordContainerEvent(roots, container, 'destroy')
  return { ...(isDead && { died: readContainer(roots, id) ?? container }), failed, ...(quit && { quit }) }
}

/**
 * What is left to be undone when a container has ended, in that order: what its run has made, as its journal says, and where it
 * goes, what outlives a run. Of one that was never wholly made, all there is. The journal itself comes last, by its own rule.
 */
export async function leftToUndo(
  roots: RunSettings,
  id: string,
  container: Container | undefined,
  asked?: Removal,
): Promise<Undo[]> {
  const hasRun = container?.lifecycle !== undefined
  const all = new Journal(containerPaths(roots, id).runDirectory).read()
  // What was done in its namespaces goes with them, and what was done to the container besides its run goes with that.
  const entries = numberedAgain(
    all.filter(({ side, lasts, isFurther }) => side === undefined && !(isFurther && lasts === 'container')),
  ).reverse()
  const ofRun = hasRun ? entries.filter(({ lasts }) => lasts === 'run') : await ofHalfMade(roots, id, entries)
  const removes = container && removalAtEnd(container, asked)
  return removes ? [...ofRun, ...(await removal(roots, container, removes))] : ofRun
}

/** Each under a name of its own: a network that it has joined since was joined by steps of the same names. */
function numberedAgain(entries: JournalEntry[]): JournalEntry[] {
  const counts = new Map<string, number>()
  return entries.map(entry => {
    const count = (counts.get(entry.step) ?? 0) + 1
    counts.set(entry.step, count)
    return count === 1 ? entry : { ...entry, step: `${entry.step}-${count}` }
  })
}

/** Whether the container goes with its end, and how: because somebody asked for it, or by --rm. */
function removalAtEnd({ record, lifecycle }: Container, asked: Removal | undefined): Removal | undefined {
  const goes = record.removeAtExit && lifecycle !== undefined && !lifecycle.isRestarting
  return goes ? { withVolumes: true } : asked
}

/** All of it, but for volumes that another container has got from this one meanwhile. */
async function ofHalfMade(roots: Roots, id: string, entries: JournalEntry[]): Promise<JournalEntry[]> {
  if (!entries.some(({ step }) => step.startsWith('create-volume'))) return entries
  const { removesOthersVolume } = await import('./volume-uses.ts')
  const isOthers = removesOthersVolume(roots, id)
  return entries.filter(entry => !isOthers(entry))
}

/** Most containers have no policy, and pay nothing for it. */
async function awaitRestart(roots: RunSettings, id: string): Promise<void> {
  const container = readContainer(roots, id)
  if (!container || (container.record.restart ?? NO_RESTART).name === 'no') return
  const { awaitRestart } = await import('./restart-wait.ts')
  awaitRestart(roots, container)
}

/** Its cgroup goes with the run: what it has counted is kept beside the exit status. */
function tellOutOfMemory(roots: Roots, container: Container): void {
  recordContainerEvent(roots, container, 'oom')
  const path = containerPaths(roots, container.id).exitRecord
  const exit = readJson<ExitRecord>(path)
  if (exit) ifWritable(() => replaceFile(path, { ...exit, isOutOfMemory: true } satisfies ExitRecord))
}

async function tellOfNetworks(roots: Roots, id: string): Promise<void> {
  const { recordNetworkEvents } = await import('./network-events.ts')
  recordNetworkEvents(roots, id, 'disconnect')
}
