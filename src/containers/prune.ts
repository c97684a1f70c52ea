// Removing the containers that do not run.

import { MinictrError } from '../system/error.ts'
import type { Executor } from '../system/executor.ts'
import { recordEvent } from './events.ts'
import type { Keep } from './filter.ts'
import { listedOf } from './listed.ts'
import { listContainers } from './lookup.ts'
import type { RunSettings } from './plan-run.ts'
import { removeContainer } from './remove.ts'
import { writtenBytes } from './size.ts'

export type PrunedContainers = {
  ids: string[]
  /** What the containers had written. */
  sizeBytes: number
  /** Of those that could not be removed. */
  failures: MinictrError[]
}

/**
 * Removes the containers that do not run and that `isChosen` names; volumes stay, those that nobody named too. One that cannot
 * be removed does not keep the others. Source: moby, daemon/prune.go (ContainersPrune).
 */
export async function pruneContainers(
  roots: RunSettings,
  executor: Executor,
  isChosen: Keep,
): Promise<PrunedContainers> {
  const pruned: PrunedContainers = { ids: [], sizeBytes: 0, failures: [] }
  for (const container of listContainers(roots)) {
    if (!isChosen(listedOf(container, roots))) continue
    const sizeBytes = writtenBytes(container, roots)
    try {
      await removeContainer(container, roots, executor, { force: false, withVolumes: false })
      pruned.ids.push(container.id)
      pruned.sizeBytes += sizeBytes
    } catch (error) {
      if (!(error instanceof MinictrError)) throw error
      pruned.failures.push(error)
    }
  }
  const attributes = { reclaimed: String(pruned.sizeBytes) }
  recordEvent(roots, { type: 'container', action: 'prune', id: '', attributes })
  return pruned
}
