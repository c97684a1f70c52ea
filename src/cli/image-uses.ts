// Which containers need which images and layers: asked before anything of an image is removed.

import { listContainers } from '../containers/lookup.ts'
import type { Container } from '../containers/state.ts'
import type { ImageUse } from '../images/remove.ts'
import { overlayOf } from '../runtime/spec.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'

/** All containers as images see them, of the ones that have ended too. */
export function imageUses(globals: GlobalOptions): ImageUse[] {
  return listContainers(globals).map(container => ({
    containerId: container.id,
    isRunning: container.status === 'running',
    imageId: container.record.image.id,
    layerPaths: layerPathsOf(container),
  }))
}

/** None of one that was removed just now, or whose configuration is damaged. */
function layerPathsOf(container: Container): string[] {
  try {
    return overlayOf(container.spec)?.lower ?? []
  } catch (error) {
    if (error instanceof MinictrError) return []
    throw error
  }
}
