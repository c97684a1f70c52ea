// What removing a container takes back: the volumes nobody named, its directory, its name.

import type { Op } from '../runtime/op.ts'
import { type Observer, type Undoing, undoEntries } from '../runtime/perform.ts'
import type { Plan, Undo } from '../runtime/step.ts'
import { removalSteps } from '../runtime/steps/container-files.ts'
import { SET_ASIDE } from '../runtime/steps/volumes.ts'
import type { Executor } from '../system/executor.ts'
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

type Watched = { observer?: Observer | undefined; within?: Plan | undefined }

/** As `undoEntries`; volumes among them are removed only where no other container has them when nobody finds them any more. */
export async function undoRemoval(
  roots: Roots,
  id: string,
  entries: Undo[],
  host: Executor,
  afterwards: Op[],
  { observer, within }: Watched,
): Promise<Undoing> {
  const setAside = entries.findIndex(({ step }) => step === SET_ASIDE)
  if (setAside < 0) return await undoEntries(entries, host, afterwards, observer, within)
  const first = await undoEntries(entries.slice(0, setAside + 1), host, [], observer, within)
  if (first.quit) return first
  const { putUsedBack } = await import('./volume-uses.ts')
  await putUsedBack(roots, id, entries[setAside]!, host)
  const last = first.failed.length === 0 ? afterwards : []
  const rest = await undoEntries(entries.slice(setAside + 1), host, last, observer, within)
  return {
    ...rest,
    undone: [...first.undone, ...rest.undone],
    failed: [...first.failed, ...rest.failed],
  }
}
