// Recovery: what processes that were killed left behind is undone from their journals.

import { existsSync, readdirSync } from 'node:fs'
import { Journal, makerOfAside } from '../runtime/journal.ts'
import type { Op } from '../runtime/op.ts'
import { performOps } from '../runtime/perform-ops.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import { type Executor, spawnExecutor } from '../system/executor.ts'
import { isRunning, type ProcessIdentity } from '../system/process-identity.ts'
import { endRun } from './end.ts'
import { readJson } from './json-file.ts'
import { containerIds, isContainerId } from './lookup.ts'
import type { RunSettings } from './plan-run.ts'
import { containerPaths, type RestartWait, type Roots } from './state.ts'

/**
 * Undoes what is left of runs whose monitor is gone, and of networks that running containers were just joining or leaving. A
 * container that was complete stays, stopped, its processes killed: without its monitor nobody takes its output. One that
 * was being made goes, and one that its restart policy wants to run is waited for again. Returns what could not be undone,
 * a line each: a command that only looks goes on without.
 */
export async function recover(roots: RunSettings): Promise<string[]> {
  const { runs, changes } = abandoned(roots)
  // Read once: where there are many, it takes as long as all else here.
  const kept = namesIn(`${roots.root}/containers`)
  const trees = [...abandonedAsides(roots), ...halfRemoved(roots, kept)]
  const waits = forgottenWaits(roots)
  if (runs.length + changes.length + trees.length + waits.length === 0)
    return await lostNames(roots, kept.filter(isContainerId))
  let helper: ReturnType<typeof spawnExecutor>
  try {
    helper = spawnExecutor()
  } catch (error) {
    return [lineOf(error)]
  }
  const lines: string[] = []
  try {
    for (const { id, owner } of runs) lines.push(...(await recoverRun(roots, id, owner, helper.executor)))
    for (const id of changes) lines.push(...(await settleLocked(roots, id, helper.executor)))
    for (const path of trees) lines.push(...(await removeTree(path, helper.executor)))
    for (const id of waits) {
      const { resumeRestart } = await import('./restart-wait.ts')
      await resumeRestart(roots, id, helper.executor)
    }
    return [...lines, ...(await lostNames(roots))]
  } finally {
    await helper.close()
  }
}

type Run = { id: string; owner: ProcessIdentity | undefined }

/** The runs whose monitor is gone, and the containers that somebody has left with one network more or less than they should have. */
function abandoned(roots: Roots): { runs: Run[]; changes: string[] } {
  const runs: Run[] = []
  const changes: string[] = []
  for (const id of namesIn(roots.runRoot).filter(name => /^[0-9a-f]{64}$/.test(name))) {
    const { owner, unfinished } = new Journal(containerPaths(roots, id).runDirectory).state()
    if (!owner || !isRunning(owner)) runs.push({ id, owner })
    else if (unfinished && !isRunning(unfinished.maker)) changes.push(id)
  }
  return { runs, changes }
}

async function recoverRun(
  roots: RunSettings,
  id: string,
  owner: Run['owner'],
  host: Executor,
): Promise<string[]> {
  try {
    const { failed } = await endRun(roots, id, host, { owner })
    return failed.map(text => `${id.slice(0, 12)}: ${text}`)
  } catch (error) {
    return [`${id.slice(0, 12)}: ${lineOf(error)}`]
  }
}

async function settleLocked(roots: RunSettings, id: string, host: Executor): Promise<string[]> {
  const [{ withContainerLock }, { settleChange }] = await Promise.all([
    import('./container-lock.ts'),
    import('./unfinished-change.ts'),
  ])
  try {
    const failed = await withContainerLock(roots, id, host, () => settleChange(id, roots, host))
    return failed.map(text => `${id.slice(0, 12)}: ${text}`)
  } catch (error) {
    return [`${id.slice(0, 12)}: ${lineOf(error)}`]
  }
}

/** The containers for whose restart nobody waits any more. */
function forgottenWaits(roots: Roots): string[] {
  return namesIn(roots.runRoot)
    .filter(name => /^[0-9a-f]{64}\.restarting\.json$/.test(name))
    .map(name => name.slice(0, 64))
    .filter(id => {
      const path = containerPaths(roots, id).restartWait
      const waiting = readJson<RestartWait>(path)
      return waiting ? !isRunning(waiting) : existsSync(path)
    })
}

/** A command that was killed while it renamed a container has left it two names, or one that nobody has: seen by counting. */
async function lostNames(roots: RunSettings, ids = containerIds(roots)): Promise<string[]> {
  if (namesIn(`${roots.root}/names`).length <= ids.length) return []
  const { sweepNames } = await import('./sweep.ts')
  return await sweepNames(roots)
}

/** What was to become a run directory, and did not: nothing had been done yet. */
function abandonedAsides({ runRoot }: Roots): string[] {
  return namesIn(runRoot)
    .filter(name => {
      const maker = makerOfAside(name)
      return maker !== undefined && (maker === 'nobody' || !isRunning(maker))
    })
    .map(name => `${runRoot}/${name}`)
}

/** What a removal that was cut short has left, of a container or of its run; `kept` are the names in the directory of containers. */
function halfRemoved({ root, runRoot }: Roots, kept: string[]): string[] {
  const isHalf = (name: string) => name.startsWith('.removed-')
  return [
    ...kept.filter(isHalf).map(name => `${root}/containers/${name}`),
    ...namesIn(runRoot)
      .filter(isHalf)
      .map(name => `${runRoot}/${name}`),
  ]
}

async function removeTree(path: string, host: Executor): Promise<string[]> {
  const op: Op = { op: 'remove_tree', path, tolerate: ['ENOENT'] }
  return await performOps([op], host).then(
    () => [],
    (error: unknown) => [lineOf(error)],
  )
}

/** Of one that is no bug. */
function lineOf(error: unknown): string {
  if (error instanceof MinictrError || errnoOf(error) !== undefined) return (error as Error).message
  throw error
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
