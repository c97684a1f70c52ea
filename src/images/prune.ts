// Removing what nobody needs of images: those that no container is made of, and content that was left by whoever was killed.

import { listImages } from './catalog.ts'
import { collectGarbage } from './collect.ts'
import type { Keep } from './filter.ts'
import type { LayerStore } from './layers.ts'
import type { ImageUse, Removed } from './remove.ts'
import type { ImageStore } from './store.ts'

export type Pruned = {
  /** One for each image; the layers that went are with the last one, since several may have needed them. */
  removed: Removed[]
  sizeBytes: number
  /** Whether content had to stay because somebody is bringing some just now. */
  isContentKept: boolean
}

/**
 * Removes the images that `isChosen` names and no container, running or not, is made of. Source: moby,
 * daemon/images/image_prune.go; but an image in use keeps all its names.
 */
export async function pruneImages(
  isChosen: Keep,
  store: ImageStore,
  layers: LayerStore,
  listContainers: () => readonly ImageUse[],
): Promise<Pruned> {
  const used = new Set(listContainers().map(({ imageId }) => imageId))
  const doomed = listImages(store).filter(image => !used.has(image.id) && isChosen(image))
  await store.forget(new Set(doomed.flatMap(({ manifestDigests }) => manifestDigests)))
  const collected = await collectGarbage(store, layers, () =>
    listContainers().flatMap(({ layerPaths }) => layerPaths),
  )
  return {
    removed: doomed.map((image, index) => ({
      imageId: image.id,
      untagged: [...image.tags, ...image.digests],
      deleted: [image.id, ...(index === doomed.length - 1 ? (collected?.layers ?? []) : [])],
      isContentKept: collected === undefined,
    })),
    sizeBytes: collected?.sizeBytes ?? 0,
    isContentKept: collected === undefined,
  }
}
