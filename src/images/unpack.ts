// Unpacking one layer into an empty directory: read the tar, write the files, as the bytes arrive.

import { finishLayer } from './layer-finish.ts'
import type { LayerStack } from './layer-stack.ts'
import { LayerWriter } from './layer-writer.ts'
import { TarReader } from './tar.ts'

export type LayerContent = {
  /** Bytes of all files. */
  sizeBytes: number
  /** Paths of opaque directories. */
  opaque: string[]
  /** Whether the content would be another on other layers. */
  dependsOnLower: boolean
}

/**
 * Unpacks a layer's tar into `directory`, over the layers `lower` (none for the lowest); `onProgress` is told how many of its
 * bytes have been written out. Throws MinictrError naming the entry and why; the directory is the caller's to remove then.
 * Source: OCI image spec, layer.md; overlay's form of it: kernel documentation, overlayfs.
 */
export async function unpackTar(
  source: AsyncIterable<Buffer>,
  directory: string,
  lower: LayerStack | undefined,
  onProgress: (doneBytes: number) => void,
): Promise<LayerContent> {
  const writer = new LayerWriter(directory, lower)
  const reader = new TarReader(writer)
  let doneBytes = 0
  try {
    for await (const chunk of source) {
      reader.push(chunk)
      doneBytes += chunk.length
      onProgress(doneBytes)
    }
    reader.end()
    const opaque = await finishLayer(writer, directory)
    const { sizeBytes, dependsOnLower } = writer
    return { sizeBytes, opaque, dependsOnLower }
  } finally {
    writer.abandon()
  }
}
