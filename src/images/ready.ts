// An image made ready to be run: every layer unpacked. After a pull this is so; after a reboot that came before the
// layers were safely on the disk they are unpacked again, from the blobs.

import { createReadStream } from 'node:fs'
import { MinictrError } from '../system/error.ts'
import { whileBringing } from './collect.ts'
import type { Layer } from './layer-stack.ts'
import type { LayerStore } from './layers.ts'
import { familiarName, parseReference } from './reference.ts'
import type { Image, ImageStore } from './store.ts'

/** Pieces in which a blob is read. */
const CHUNK_BYTES = 256 * 1024

/** The layers of an image, bottom first, unpacked where they are not. Throws MinictrError where a blob is missing or damaged. */
export async function readyLayers(image: Image, store: ImageStore, layers: LayerStore): Promise<Layer[]> {
  // Nobody collects garbage meanwhile: a layer that is half unpacked looks like what a killed unpacker left.
  if (!layers.hasAll(image)) await whileBringing(store, () => unpackMissing(image, store, layers))
  return layers.layersOf(image)
}

async function unpackMissing(image: Image, store: ImageStore, layers: LayerStore): Promise<void> {
  for (const [index, diffId] of image.diffIds.entries()) {
    const lowerDiffIds = image.diffIds.slice(0, index)
    if (layers.has(diffId, lowerDiffIds)) continue
    const { digest, mediaType } = image.manifest.layers[index]!
    const file = store.blobPath(digest)
    if (!store.hasBlob(digest)) {
      throw new MinictrError(`The layer blob ${digest} is not in the image store`, {
        remedy: remedy(image, file),
      })
    }
    const source = createReadStream(file, { highWaterMark: CHUNK_BYTES })
    await layers.unpack(source, { mediaType, diffId, lowerDiffIds, remedy: remedy(image, file) })
  }
}

/** It was whole when it came, so it is the file that has suffered. */
function remedy({ names: [name] }: Image, file: string): string {
  const again =
    name === undefined ? 'bring the image again' : `minictr pull ${familiarName(parseReference(name))}`
  return `Its file may have been damaged on this disk. Remove it and ${again}: rm -f ${file}`
}
