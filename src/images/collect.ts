// Collecting garbage: blobs and layers that no image needs. Whoever brings content shares a lock while it is not named
// yet; collecting takes the lock alone, and is left to the next time where somebody has it.

import { tryLock, withSharedLock } from '../system/lock.ts'
import { isImageConfig, parseImageConfig } from './image-config.ts'
import type { LayerStore } from './layers.ts'
import { isIndex, parseManifestOrIndex } from './manifest.ts'
import type { ImageStore } from './store.ts'

/** Runs an action that brings content before it names it (a pull, a build); nothing is collected meanwhile. */
export function whileBringing<T>(
  store: ImageStore,
  action: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return withSharedLock(store.directory, action, { signal })
}

type References = { blobs: Set<string>; layerKeys: Set<string> }

/** Digests of removed blobs, and of removed layers by the ids they were kept under; and the bytes they took. */
export type Collected = { blobs: string[]; layers: string[]; sizeBytes: number }

/**
 * Removes the blobs and layers that no entry of the store and no container refers to, and what interrupted writers left;
 * partial downloads stay, for the pull that goes on. `usedLayerPaths` gives the layer directories of containers; it is
 * asked under the lock, which a container that starts shares until it can be found. Gives undefined where nothing was
 * done because somebody is bringing content.
 */
export function collectGarbage(
  store: ImageStore,
  layers: LayerStore,
  usedLayerPaths: () => readonly string[],
): Promise<Collected | undefined> {
  return tryLock(store.directory, () => {
    const kept = references(store, layers)
    for (const path of usedLayerPaths()) kept.layerKeys.add(layers.keyOfPath(path))
    const removedLayers = layers.removeExcept(kept.layerKeys)
    store.removeTemporaryFiles()
    const removedBlobs = store.removeBlobsExcept(kept.blobs)
    return {
      blobs: removedBlobs.map(({ digest }) => digest),
      layers: removedLayers.map(({ digest }) => digest),
      sizeBytes: [...removedLayers, ...removedBlobs].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    }
  })
}

function references(store: ImageStore, layers: LayerStore): References {
  const found: References = { blobs: new Set(), layerKeys: new Set() }
  for (const { manifest, repoDigest } of store.list()) {
    addReachable(manifest.digest, found, store, layers)
    // The index an image was chosen from, where the pull kept it.
    if (repoDigest) found.blobs.add(repoDigest.slice(repoDigest.indexOf('@') + 1))
  }
  return found
}

/** Adds a manifest and what it refers to; of an index, which only other tools put here, all of its images. */
function addReachable(digest: string, found: References, store: ImageStore, layers: LayerStore): void {
  if (found.blobs.has(digest)) return
  found.blobs.add(digest)
  if (!store.hasBlob(digest)) return
  const value = parseManifestOrIndex(store.readBlob(digest), `The manifest ${digest}`)
  if (isIndex(value)) {
    for (const each of value.manifests) addReachable(each.digest, found, store, layers)
    return
  }
  for (const each of [value.config, ...value.layers]) found.blobs.add(each.digest)
  // Other tools may keep things here that are no images and have no layers.
  if (!isImageConfig(value) || !store.hasBlob(value.config.digest)) return
  const what = `The image configuration ${value.config.digest}`
  const { rootfs } = parseImageConfig(store.readBlob(value.config.digest), what, value.layers.length)
  for (const key of layers.keysOf(rootfs.diff_ids)) found.layerKeys.add(key)
}
