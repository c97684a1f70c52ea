// How much of the disk a container takes: what it has written itself, and its image's layers below.

import { sizeOfContent } from '../images/layers.ts'
import { overlayOf } from '../runtime/spec.ts'
import { sizeOfTree } from '../system/tree-size.ts'
import { type Container, containerPaths, type Roots } from './state.ts'

/** Bytes of the files in the container's writable layer. */
export function writtenBytes({ id }: Pick<Container, 'id'>, roots: Roots): number {
  return sizeOfTree(`${containerPaths(roots, id).directory}/upper`)
}

/** Bytes of the files in its image's layers; each counts, also where a layer above hides it. */
export function layerBytes({ spec }: Pick<Container, 'spec'>): number {
  const { lower = [] } = overlayOf(spec) ?? {}
  return lower.reduce((sum, path) => sum + sizeOfContent(path), 0)
}
