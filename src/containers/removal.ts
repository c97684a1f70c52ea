// What removing a container takes back: the volumes nobody named, its directory, its name.

import type { Undo } from '../runtime/step.ts'
import { removalSteps } from '../runtime/steps/container-files.ts'
import { type Container, containerPaths, type Roots } from './state.ts'

/** `withVolumes`: the volumes nobody named go with it. */
export type Removal = { withVolumes: boolean }

/** The acts, in order. Source: `docker rm`, --volumes. */
export async function removal(
  roots: Roots,
  { id, name, record }: Container,
  { withVolumes }: Removal,
): Promise<Undo[]> {
  const { directory, nameFile } = containerPaths(roots, id)
  const hasVolumes = withVolumes && record.mounts.some(({ isAnonymous }) => isAnonymous)
  return [
    ...(hasVolumes
      ? (await import('./volume-uses.ts')).anonymousVolumeRemoval(roots, id, record.mounts)
      : []),
    ...removalSteps(directory, nameFile(name), id),
  ]
}
