// Recovery: what processes that were killed left behind is undone from their journals.

import { readdirSync } from 'node:fs'
import { Journal } from '../runtime/journal.ts'
import { undo } from '../runtime/perform.ts'
import { annotation } from '../runtime/spec.ts'
import { errnoOf } from '../system/errno.ts'
import { spawnExecutor } from '../system/executor.ts'
import { isRunning } from '../system/process-identity.ts'
import { containerPaths, type Roots, readContainer, recordUnknownExit } from './state.ts'

/**
 * Undoes what is left of runs whose monitor is gone, of one container or of all of these roots. A container that was
 * complete stays, stopped; one that was being made goes. Returns what could not be undone, a line each.
 *
 * With `only` the monitor may still be there, since it is the monitor that calls for this as its last act; not, however,
 * while the container's program runs.
 */
export async function recover(roots: Roots, only?: string): Promise<string[]> {
  const left = journals(roots).filter(({ id, owner }) => {
    if (only !== undefined && id !== only) return false
    if (!owner || !isRunning(owner)) return true
    return only !== undefined && readContainer(roots, id)?.status !== 'running'
  })
  if (left.length === 0) return []
  const helper = spawnExecutor()
  try {
    const failed: string[] = []
    for (const { id, journal } of left)
      failed.push(...(await recoverOne(roots, id, journal, helper.executor)))
    return failed
  } finally {
    await helper.close()
  }
}

async function recoverOne(
  roots: Roots,
  id: string,
  journal: Journal,
  executor: Parameters<typeof undo>[1],
): Promise<string[]> {
  const container = readContainer(roots, id)
  const keeps = container !== undefined && container.spec.annotations[annotation.removeAtExit] !== 'true'
  const wasStarted = container?.run !== undefined || container?.exit !== undefined
  const { failed } = await undo(journal, executor, entry => entry.lasts === 'run' || !(keeps && wasStarted))
  if (keeps && wasStarted && !container.exit) recordUnknownExit(roots, id)
  return failed.map(text => `${id.slice(0, 12)}: ${text}`)
}

function journals(roots: Roots) {
  let ids: string[]
  try {
    ids = readdirSync(roots.runRoot)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
  return ids.map(id => {
    const journal = new Journal(containerPaths(roots, id).runDirectory)
    return { id, journal, owner: journal.owner() }
  })
}
