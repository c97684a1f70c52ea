// What the root of a container that does not run has, looked up in the layers of its overlay without mounting it.

import { LayerStack } from '../images/layer-stack.ts'
import { overlayOf, type Spec } from '../runtime/spec.ts'

/** Whether the image has a directory at this path; what the container itself has changed does not count. */
export function rootHasDirectory(spec: Spec, path: string): boolean {
  const { lower = [] } = overlayOf(spec) ?? {}
  return new LayerStack(lower.map(layer => ({ path: layer }))).find(path)?.stats.isDirectory() === true
}
