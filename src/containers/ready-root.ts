// The layers of a container's root after a power cut: those that may not have been on the disk are unpacked again.

import { isWhole, LayerStore } from '../images/layers.ts'
import { overlayOf } from '../runtime/spec.ts'
import { MinictrError } from '../system/error.ts'
import type { Container, Roots } from './state.ts'

/**
 * Unpacks the layers anew that this boot cannot be sure of, which are seldom any, before the container is started. Throws
 * MinictrError where its image is there no more, or a blob of it is damaged.
 */
export async function readyRoot({ record, spec }: Container, { root }: Roots): Promise<void> {
  const { lower = [] } = overlayOf(spec) ?? {}
  if (lower.every(isWhole)) return
  const [{ ImageStore }, { readyLayers }] = await Promise.all([
    import('../images/store.ts'),
    import('../images/ready.ts'),
  ])
  const store = new ImageStore(`${root}/images`)
  const { id, name } = record.image
  const image = store.images().find(([, image]) => image.id === id)?.[1]
  if (!image) {
    throw new MinictrError(
      `the machine went down before the files of image ${name} were on the disk, and the image is not here to unpack them again`,
      {
        remedy: `Bring the image back (\`minictr pull ${name}\`): the container needs the one with the id ${id}. \`minictr cp\` copies out what the container itself has written.`,
      },
    )
  }
  await readyLayers(image, store, new LayerStore(`${root}/layers`))
}
