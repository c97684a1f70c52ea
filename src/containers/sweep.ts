// What no journal tells of any more, because a reboot took it or a removal was cut short: directories that never became
// containers, names without one, containers that were to go at their end.

import { existsSync, readdirSync } from 'node:fs'
import type { Op } from '../runtime/op.ts'
import { performOps } from '../runtime/perform-ops.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import { type Executor, spawnExecutor } from '../system/executor.ts'
import { withContainerLock } from './container-lock.ts'
import { claimantOf, containerIds } from './lookup.ts'
import type { RunSettings } from './plan-run.ts'
import { removeContainer } from './remove.ts'
import { containerPaths, type Roots, readContainer } from './state.ts'

/**
 * Removes what is nobody's. For after `recover`: what has a run directory is being made, or runs. Returns what could not be
 * removed, or is damaged, a line each.
 */
export async function sweep(roots: RunSettings): Promise<string[]> {
  return await attempting(async (attempt, executor) => {
    for (const id of containerIds(roots))
      await attempt(id.slice(0, 12), () => sweepContainer(roots, id, executor))
    for (const name of names(roots)) await attempt(name, () => sweepName(roots, name, executor))
  })
}

/** Gives back the names that no container has. As `sweep`. */
export async function sweepNames(roots: RunSettings): Promise<string[]> {
  return await attempting(async (attempt, executor) => {
    for (const name of names(roots)) await attempt(name, () => sweepName(roots, name, executor))
  })
}

type Attempt = (what: string, act: () => Promise<void>) => Promise<void>

/** Does all of it, whatever of it fails; returns a line for each failure. */
async function attempting(work: (attempt: Attempt, executor: Executor) => Promise<void>): Promise<string[]> {
  const { executor, close } = spawnExecutor()
  const lines: string[] = []
  const attempt: Attempt = async (what, act) => {
    try {
      await act()
    } catch (error) {
      if (!(error instanceof MinictrError) && errnoOf(error) === undefined) throw error
      lines.push(`${what}: ${(error as Error).message}`)
    }
  }
  try {
    await work(attempt, executor)
  } finally {
    await close()
  }
  return lines
}

async function sweepContainer(roots: RunSettings, id: string, executor: Executor): Promise<void> {
  // Before its record is looked at, which is there when the run directory of one that was being made goes.
  if (hasRun(roots, id)) return
  const container = readContainer(roots, id)
  if (container) {
    if (!container.record.removeAtExit || container.status !== 'exited') return
    await removeContainer(container, roots, executor, { force: false, withVolumes: true })
  } else if (existsSync(containerPaths(roots, id).record)) {
    const { directory, record } = containerPaths(roots, id)
    throw new MinictrError(`${record} is damaged; what the container wrote is in ${directory}/upper`)
  } else {
    await withContainerLock(roots, id, executor, () =>
      removeTree(containerPaths(roots, id).directory, executor),
    )
  }
}

async function removeTree(path: string, executor: Executor): Promise<void> {
  await performOps([{ op: 'remove_tree', path, tolerate: ['ENOENT'] }], executor)
}

/** Gives a name back whose container is not there any more, or has another name by now. */
export async function releaseLostName(roots: Roots, name: string): Promise<void> {
  const { executor, close } = spawnExecutor()
  try {
    await sweepName(roots, name, executor)
  } finally {
    await close()
  }
}

async function sweepName(roots: Roots, name: string, executor: Executor): Promise<void> {
  const path = containerPaths(roots, '').nameFile(name)
  const id = claimantOf(roots, name)
  if (id === undefined || hasRun(roots, id)) return
  await withContainerLock(roots, id, executor, async () => {
    const container = readContainer(roots, id)
    if (container ? container.name === name : existsSync(containerPaths(roots, id).record)) return
    const release: Op = { op: 'unlink_claim', path, content: id, tolerate: ['ENOENT', 'ESTALE'] }
    await performOps([release], executor)
  })
}

function hasRun(roots: Roots, id: string): boolean {
  return existsSync(containerPaths(roots, id).runDirectory)
}

function names({ root }: Roots): string[] {
  try {
    return readdirSync(`${root}/names`)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
