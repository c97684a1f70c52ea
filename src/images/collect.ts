// Collecting garbage: blobs and layers that no image needs. Whoever brings content shares a lock while it is not named
// yet; collecting takes the lock alone, and is left to the next time where somebody has it.

import { tryLock, withSharedLock } from '../system/lock.ts'
import type { LayerStore } from './layers.ts'
import type { ImageStore } from './store.ts'

/** Runs an action that brings content before it names it (a pull, a build); nothing is collected meanwhile. */
export function whileBringing<T>(
  store: ImageStore,
  action: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return withSharedLock(store.directory, action, { signal })
}

/** Digests of removed blobs, and of removed layers by the ids they were kept under. */
export type Collected = { blobs: string[]; layers: string[] }

/**
 * Removes the blobs and layers that no entry of the store and no container refers to, and what interrupted writers left;
 * partial downloads stay, for the pull that goes on. `usedLayerPaths` are the layer directories of containers. Gives
 * undefined where nothing was done because somebody is bringing content.
 */
export function collectGarbage(
  store: ImageStore,
  layers: LayerStore,
  usedLayerPaths: readonly string[],
): Promise<Collected | undefined> {
  return tryLock(store.directory, () => {
    const kept = references(store, layers)
    for (const path of usedLayerPaths) kept.layerKeys.add(layers.keyOfPath(path))
    const removed = layers.removeExcept(kept.layerKeys)
    store.removeTemporaryFiles()
    return { blobs: store.removeBlobsExcept(kept.blobs), layers: removed }
  })
}

function references(store: ImageStore, layers: LayerStore): { blobs: Set<string>; layerKeys: Set<string> } {
  const blobs = new Set<string>()
  const layerKeys = new Set<string>()
  const entries = store.list()
  for (const entry of entries) {
    blobs.add(entry.manifest.digest)
    // The index an image was chosen from, where the pull kept it.
    if (entry.repoDigest) blobs.add(entry.repoDigest.slice(entry.repoDigest.indexOf('@') + 1))
    const { manifest, diffIds } = store.read(entry, entries)
    for (const { digest } of [manifest.config, ...manifest.layers]) blobs.add(digest)
    for (const key of layers.keysOf(diffIds)) layerKeys.add(key)
  }
  return { blobs, layerKeys }
}
