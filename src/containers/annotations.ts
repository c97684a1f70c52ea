// What the runtime needs and the OCI configuration has no field for, written down in its annotations.

import { annotation, type OverlaySource } from '../runtime/spec.ts'
import type { ConfigRequest } from './config.ts'

/** The annotations of a container: the user's, and minictr's own. */
export function makeAnnotations({ options, layerPaths, directory }: ConfigRequest): Record<string, string> {
  const overlay: OverlaySource = {
    lower: layerPaths,
    upper: `${directory}/upper`,
    work: `${directory}/work`,
    ...(options.remove && { isVolatile: true }),
  }
  return {
    ...options.annotations,
    [annotation.overlay]: JSON.stringify(overlay),
    ...(options.init && { [annotation.init]: 'true' }),
  }
}
