// Which containers need which images and layers: asked before anything of an image is removed.

import { listContainers } from '../containers/state.ts'
import type { ImageUse } from '../images/remove.ts'
import { annotation, type OverlaySource } from '../runtime/spec.ts'
import type { GlobalOptions } from './command.ts'

/** All containers as images see them, of the ones that have ended too. */
export function imageUses(globals: GlobalOptions): ImageUse[] {
  return listContainers(globals).map(({ id, status, spec: { annotations } }) => {
    const overlay = JSON.parse(annotations[annotation.overlay] ?? '{"lower":[]}') as OverlaySource
    return {
      containerId: id,
      isRunning: status === 'running',
      imageId: annotations[annotation.imageId] ?? '',
      layerPaths: overlay.lower,
    }
  })
}
