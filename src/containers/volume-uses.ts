// Which containers have which volumes: asked before a volume is removed.

import type { JournalEntry } from '../runtime/journal.ts'
import { inverses } from '../runtime/ops.ts'
import { performOps } from '../runtime/perform-ops.ts'
import type { Undo } from '../runtime/step.ts'
import { volumeRemoval } from '../runtime/steps/volumes.ts'
import type { Executor } from '../system/executor.ts'
import { VolumeStore } from '../volumes/store.ts'
import { listContainers } from './lookup.ts'
import type { MountPoint } from './mount-points.ts'
import type { Roots } from './state.ts'

/** The ids of the containers that mention each volume, running or not, by its name. */
export function volumeUses(roots: Roots): Map<string, string[]> {
  const uses = new Map<string, string[]>()
  for (const { id, record } of listContainers(roots)) {
    const names = new Set(record.mounts.flatMap(({ name }) => name ?? []))
    for (const name of names) uses.set(name, [...(uses.get(name) ?? []), id])
  }
  return uses
}

/**
 * What removing a container with its volumes undoes besides: the volumes nobody named, but for those another container
 * has as well. Source: `docker rm`, --volumes.
 */
export function anonymousVolumeRemoval(roots: Roots, containerId: string, mounts: MountPoint[]): Undo[] {
  const names = mounts.flatMap(({ name, isAnonymous }) => (isAnonymous && name ? name : []))
  if (names.length === 0) return []
  const store = new VolumeStore(roots.root)
  const uses = volumeUses(roots)
  const unused = names.filter(name => !isOthers(uses, name, containerId))
  return volumeRemoval(
    unused.map(name => ({ directory: store.directoryOf(name), aside: store.unusedOf(name) })),
  )
}

/** Those that were set aside, and that another container has found before that, get their names back. */
export async function putUsedBack(
  roots: Roots,
  containerId: string,
  { undo }: Undo,
  host: Executor,
): Promise<void> {
  const { directory } = new VolumeStore(roots.root)
  const uses = volumeUses(roots)
  const used = undo.filter(
    op => op.op === 'rename' && isOthers(uses, op.path.slice(directory.length + 1), containerId),
  )
  await performOps(inverses(used), host)
}

/**
 * Tells the entries of a container's journal that would remove a volume which another container has by now
 * (--volumes-from): those are not to be undone.
 */
export function removesOthersVolume(roots: Roots, containerId: string): (entry: JournalEntry) => boolean {
  const { directory } = new VolumeStore(roots.root)
  let uses: Map<string, string[]> | undefined
  return ({ step, undo }) => {
    if (!step.startsWith('create-volume')) return false
    uses ??= volumeUses(roots)
    return undo.some(
      op =>
        op.op === 'remove_tree' &&
        op.path.startsWith(`${directory}/`) &&
        isOthers(uses!, op.path.slice(directory.length + 1), containerId),
    )
  }
}

function isOthers(uses: Map<string, string[]>, name: string, containerId: string): boolean {
  return uses.get(name)?.some(id => id !== containerId) === true
}
