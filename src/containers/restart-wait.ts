// The time between a container's end and the start that its restart policy asks for: a small process waits in its place, and a
// file in the run root names it. Whoever stops the container ends that process and takes the file away. All of it happens
// under the container's lock, so that of a stop and a restart that meet the stop wins.

import { rmSync } from 'node:fs'
import { Journal } from '../runtime/journal.ts'
import { errnoOf } from '../system/errno.ts'
import { type Executor, spawnLater } from '../system/executor.ts'
import { identify, isRunning, type ProcessIdentity } from '../system/process-identity.ts'
import { visible } from '../system/visible.ts'
import { withContainerLock } from './container-lock.ts'
import { ifWritable, readJson, replaceFile } from './json-file.ts'
import { ownCommand, RESTART_COMMAND } from './own-commands.ts'
import type { RunSettings } from './plan-run.ts'
import { type Ending, NO_RESTART, restartDelayMs } from './restart-policy.ts'
import {
  type Container,
  containerPaths,
  type Lifecycle,
  type RestartWait,
  type Roots,
  readContainer,
} from './state.ts'

/**
 * Has a process wait for the restart that the policy of a container that ended asks for, unless one does already. The time counts
 * from the end, whenever that is found out. Where no restart is due, nothing is left that says so. Under the container's lock.
 */
export function awaitRestart(settings: RunSettings, container: Container): void {
  const { id, record, exit } = container
  const path = containerPaths(settings, id).restartWait
  const waiting = readJson<RestartWait>(path)
  if (waiting && isRunning(waiting)) return
  const ending = endingOf(container)
  const delayMs = ending && restartDelayMs(record.restart ?? NO_RESTART, ending)
  if (delayMs === undefined) {
    rmSync(path, { force: true })
    return
  }
  const nowMs = Date.now()
  const untilMs = (exit?.finishedAtMs ?? nowMs) + delayMs
  const { argv } = ownCommand(settings, RESTART_COMMAND, id)
  // A clock that was set since makes it neither long ago nor far away.
  const pid = spawnLater(Math.min(Math.max(0, untilMs - nowMs), delayMs), argv)
  // One that is gone already is written down all the same: the next command sees that, and begins anew.
  replaceFile(path, {
    ...(identify(pid) ?? { pid, startTimeTicks: '' }),
    untilMs,
    delayMs,
  } satisfies RestartWait)
}

/** The same for a container whose waiting process was killed. */
export async function resumeRestart(settings: RunSettings, id: string, host: Executor): Promise<void> {
  await withContainerLock(settings, id, host, () => {
    const container = readContainer(settings, id)
    if (container && container.status !== 'running') awaitRestart(settings, container)
    else cancelRestart(settings, id)
  })
}

/** Ends the waiting, where there is any. Under the container's lock. */
export function cancelRestart(roots: Roots, id: string): void {
  const path = containerPaths(roots, id).restartWait
  const waiting = readJson<RestartWait>(path)
  rmSync(path, { force: true })
  if (waiting && isRunning(waiting)) kill(waiting)
}

/**
 * Has no policy start a container any more, until somebody does, or, where it is stopped with the machine, until that has booted:
 * what `stop` and `kill` begin with. Returns what it found. Throws
 * MinictrError where somebody else does not let go of its lock.
 */
export async function forbidRestart(
  roots: Roots,
  id: string,
  host: Executor,
  { why = 'user', isRestarting }: { why?: 'user' | 'shutdown'; isRestarting?: boolean } = {},
): Promise<Forbidden> {
  return await withContainerLock(roots, id, host, () => {
    const container = readContainer(roots, id)
    const mark = why === 'shutdown' ? { isShutDown: true } : stoppedMark(isRestarting)
    if (container) recordStop(roots, container, mark)
    cancelRestart(roots, id)
    const current = readContainer(roots, id)
    const owner = new Journal(containerPaths(roots, id).runDirectory).owner()
    return { ...(current && { current }), owner }
  })
}

/** What was found when the restart was forbidden. */
export type Forbidden = {
  /** Undefined where the container has been removed. */
  current?: Container
  /** The monitor of the run it was in. */
  owner: ProcessIdentity | undefined
}

/** A disk that is full or read-only is no reason not to stop a container. */
function recordStop(
  roots: Roots,
  { id, name, lifecycle, status }: Container,
  mark: Partial<Lifecycle>,
): void {
  if (!lifecycle || status === 'created') return
  const reason = ifWritable(() => replaceFile(containerPaths(roots, id).lifecycle, { ...lifecycle, ...mark }))
  if (reason === undefined) return
  process.stderr.write(`WARNING: It is not recorded that ${name} is being stopped: ${visible(reason)}\n`)
}

/** What is written down of a container that somebody has stopped; `isRestarting`: only to start it again at once. */
export function stoppedMark(isRestarting: boolean | undefined): Partial<Lifecycle> {
  return { isStoppedByUser: true, ...(isRestarting && { isRestarting: true }) }
}

/** What this very process has waited for; undefined where that is wanted no more. Under the container's lock. */
export function ownWait(roots: Roots, id: string): RestartWait | undefined {
  const waiting = readJson<RestartWait>(containerPaths(roots, id).restartWait)
  return waiting?.pid === process.pid && isRunning(waiting) ? waiting : undefined
}

/** How the last run of a container ended; undefined where it never ran. */
export function endingOf({ lifecycle, exit }: Container): Ending | undefined {
  if (!lifecycle) return undefined
  const { startedAtMs, restartCount, restartDelayMs, isStoppedByUser, isShutDown, restartError } = lifecycle
  return {
    exitStatus: exit?.exitStatus ?? null,
    ranMs: (exit?.finishedAtMs ?? Date.now()) - startedAtMs,
    restartCount,
    ...(restartDelayMs !== undefined && { restartDelayMs }),
    isStoppedByUser,
    isShutDown: isShutDown === true,
    hasGivenUp: restartError !== undefined,
  }
}

function kill({ pid }: ProcessIdentity): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error
  }
}
