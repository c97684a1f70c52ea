// How much of the disk images take: their unpacked layers and the compressed blobs they came as. What several have counts once.

import type { CatalogImage } from './catalog.ts'
import type { LayerStore } from './layers.ts'
import type { ImageStore } from './store.ts'

/** Pieces of content by their names, and their bytes. */
type Content = Map<string, number>

/** Of one image, its unpacked layers alone: what others have as well, and what goes with it. */
export type ImageShare = { sharedBytes: number; uniqueBytes: number }

/** Counts the content of images. */
export class ImageUsage {
  private readonly store: ImageStore
  private readonly layers: LayerStore

  constructor(store: ImageStore, layers: LayerStore) {
    this.store = store
    this.layers = layers
  }

  /** The bytes that these images take together, blobs included. */
  bytesOf(images: readonly CatalogImage[]): number {
    const content: Content = new Map(
      images.flatMap(image => [...this.layersOf(image), ...this.blobsOf(image)]),
    )
    return [...content.values()].reduce((sum, sizeBytes) => sum + sizeBytes, 0)
  }

  /** What each image shares with others of these, by its id. */
  sharesOf(images: readonly CatalogImage[]): Map<string, ImageShare> {
    const contents = images.map(image => ({ id: image.id, content: this.layersOf(image) }))
    const users = new Map<string, number>()
    for (const { content } of contents)
      for (const name of content.keys()) users.set(name, (users.get(name) ?? 0) + 1)
    return new Map(contents.map(({ id, content }) => [id, shareOf(content, users)]))
  }

  private layersOf(image: CatalogImage): Content {
    return new Map(this.layers.sizesOf(image).map(({ key, sizeBytes }) => [`layer ${key}`, sizeBytes]))
  }

  private blobsOf({ manifest, manifestDigests }: CatalogImage): Content {
    const digests = [
      ...manifestDigests,
      manifest.config.digest,
      ...manifest.layers.map(({ digest }) => digest),
    ]
    return new Map(digests.map(digest => [`blob ${digest}`, this.store.blobSize(digest)]))
  }
}

function shareOf(content: Content, users: Map<string, number>): ImageShare {
  const share = { sharedBytes: 0, uniqueBytes: 0 }
  for (const [name, sizeBytes] of content) {
    if (users.get(name)! > 1) share.sharedBytes += sizeBytes
    else share.uniqueBytes += sizeBytes
  }
  return share
}
