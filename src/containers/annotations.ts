// What the OCI configuration has no field for, written down in its annotations: the overlay, the image, name and labels.

import { annotation, type OverlaySource } from '../runtime/spec.ts'
import type { ConfigRequest } from './config.ts'
import { stopSignal } from './program.ts'

/**
 * The annotations of a container: the user's, and minictr's own. Throws MinictrError for a stop signal that is none.
 */
export function makeAnnotations({
  name,
  createdAt,
  options,
  image,
  layerPaths,
  directory,
}: ConfigRequest): Record<string, string> {
  const overlay: OverlaySource = {
    lower: layerPaths,
    upper: `${directory}/upper`,
    work: `${directory}/work`,
  }
  const labels = { ...image.config.config?.Labels, ...options.labels }
  return {
    ...options.annotations,
    [annotation.overlay]: JSON.stringify(overlay),
    [annotation.image]: image.name,
    [annotation.imageDigest]: image.digest,
    [annotation.imageId]: image.id,
    [annotation.name]: name,
    [annotation.createdAt]: createdAt,
    ...(options.remove && { [annotation.removeAtExit]: 'true' }),
    ...(options.init && { [annotation.init]: 'true' }),
    [annotation.stopSignal]: stopSignal(options, image.config),
    ...(options.stopTimeoutSeconds !== undefined && {
      [annotation.stopTimeout]: String(options.stopTimeoutSeconds),
    }),
    ...(Object.keys(labels).length > 0 && { [annotation.labels]: JSON.stringify(labels) }),
  }
}
