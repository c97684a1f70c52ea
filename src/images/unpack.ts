// Unpacking one layer into an empty directory: decompress, hash, read the tar, write the files, all as the bytes arrive.

import { createHash } from 'node:crypto'
import { MinictrError } from '../system/error.ts'
import { decompress } from './decompress.ts'
import { finishLayer } from './layer-finish.ts'
import type { LayerStack } from './layer-stack.ts'
import { LayerWriter } from './layer-writer.ts'
import { TarReader } from './tar.ts'

export type UnpackOptions = {
  mediaType: string
  diffId: string
  /** The layers below, for what this one takes over from them; none for the lowest. */
  lower?: LayerStack
  signal?: AbortSignal
  /** Told how many bytes of the tar have been written out. */
  onProgress?: (doneBytes: number) => void
}

export type LayerContent = {
  /** Bytes of all files. */
  sizeBytes: number
  /** Paths of opaque directories. */
  opaque: string[]
  /** Whether the content would be another on other layers. */
  dependsOnLower: boolean
}

/**
 * Unpacks a layer into `directory` and verifies its diff id. Throws MinictrError naming the entry and why; the directory is
 * the caller's to remove then. Source: OCI image spec, layer.md; overlay's form of it: kernel documentation, overlayfs.
 */
export async function unpackLayer(
  source: AsyncIterable<Uint8Array>,
  directory: string,
  options: UnpackOptions,
): Promise<LayerContent> {
  const [algorithm, expected] = options.diffId.split(':')
  const hash = createHash(algorithm!)
  const writer = new LayerWriter(directory, options.lower)
  const reader = new TarReader(writer)
  let doneBytes = 0
  try {
    for await (const chunk of decompress(source, options.mediaType, options.signal)) {
      hash.update(chunk)
      reader.push(chunk)
      doneBytes += chunk.length
      options.onProgress?.(doneBytes)
    }
    reader.end()
    const found = hash.digest('hex')
    if (found !== expected) {
      throw new MinictrError(
        `its content has the diff id ${algorithm}:${found}, not the one the image promises`,
      )
    }
    const opaque = await finishLayer(writer, directory)
    const { sizeBytes, dependsOnLower } = writer
    return { sizeBytes, opaque, dependsOnLower }
  } finally {
    writer.abandon()
  }
}
