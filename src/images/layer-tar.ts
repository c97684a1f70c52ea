// A layer's tar: its blob without the compression, verified against the diff id by which the image knows it.

import { createHash } from 'node:crypto'
import { MinictrError } from '../system/error.ts'
import { decompress } from './decompress.ts'

/**
 * The bytes of the tar in a layer's blob. They end only if they have that diff id, so that nobody takes others for the
 * whole; throws MinictrError else, for data that cannot be decompressed, and what the source throws.
 * Source: OCI image spec, config.md, "Layer DiffID".
 */
export async function* layerTar(
  source: AsyncIterable<Uint8Array>,
  mediaType: string,
  diffId: string,
): AsyncGenerator<Buffer, void, undefined> {
  const [algorithm, expected] = diffId.split(':')
  const hash = createHash(algorithm!)
  for await (const chunk of decompress(source, mediaType)) {
    hash.update(chunk)
    yield chunk
  }
  const found = hash.digest('hex')
  if (found === expected) return
  throw new MinictrError(`its content has the diff id ${algorithm}:${found}, not the one the image promises`)
}
