// Volumes: directories that outlive containers, made and filled before they are mounted.

import type { PlanContext, PlannedVolume } from '../context.ts'
import type { Op } from '../op.ts'
import type { Spec } from '../spec.ts'
import type { Step, Undo } from '../step.ts'
import { containerStep, hostStep } from './container-step.ts'
import { numbered } from './numbered.ts'
import { makeParent, parentOf } from './parent.ts'
import { containerRoot } from './user-namespace.ts'

/** Steps that make the volumes which are not there yet, and find the others; one each, so that each can be undone by itself. */
export function createVolumeSteps(spec: Spec, { volumes = [], containerId }: PlanContext): Step[] {
  const owner = containerRoot(spec)
  const steps = volumes.flatMap((volume, index) => {
    if (volume.record === undefined) return owner ? [openVolumeStep(volume, owner.gid)] : []
    const aside = `${parentOf(volume.directory)}/.${containerId}-${index}`
    return [
      hostStep(
        'create-volume',
        `The volume at ${volume.destination}: a directory that is no container’s. Made aside and renamed, which is atomic, so that nobody ever sees half a volume; of two commands that make the same one at once, the second finds it there. After config.json, which says that the volume is in use.`,
        [
          ...volumeOps({ directory: volume.directory, aside, record: volume.record, owner }),
          { op: 'remove_tree', path: aside, tolerate: ['ENOENT'] },
        ],
        'container',
        undoOf(volume, aside),
      ),
    ]
  })
  const isThere = ({ record }: PlannedVolume) => record === undefined
  return [...numbered(volumes.filter(isThere).map(findVolumeStep)), ...numbered(steps)]
}

export type NewVolume = {
  directory: string
  /** Where it is made before it gets its name, in the same directory. */
  aside: string
  /** The text of volume.json. */
  record: string
  /** The host's user and group that are root in the container, where these are not root. */
  owner?: { uid: number; gid: number }
}

/** The ops that make a volume. Where there is one of this name already, that one stays, and `aside` is left over. */
export function volumeOps({ directory, aside, record, owner }: NewVolume): Op[] {
  const data = `${aside}/_data`
  return [
    // Closed to the host's other users, who could otherwise start a setuid program that a container put there.
    makeParent(directory),
    { op: 'mkdir', path: aside, mode: 0o700 },
    ...(owner ? openTo(aside, owner.gid) : []),
    { op: 'mkdir', path: data, mode: 0o755 },
    ...(owner ? [{ op: 'lchown' as const, path: data, ...owner }] : []),
    { op: 'write_file', path: `${aside}/volume.json`, content: record, how: 'create', mode: 0o600 },
    { op: 'rename', path: aside, to: directory, tolerate: ['ENOTEMPTY', 'EEXIST'] },
  ]
}

/** The first of the acts that remove volumes: from here on nobody finds them. Whoever has found one before says so by now. */
export const SET_ASIDE = 'find-volume'

/** The acts that remove volumes; between the first and the others somebody is to look who uses them. */
export function volumeRemoval(volumes: { directory: string; aside: string }[]): Undo[] {
  if (volumes.length === 0) return []
  const setAside = volumes.map(({ directory, aside }): Op => {
    return { op: 'rename', path: directory, to: aside, tolerate: ['ENOENT'] }
  })
  const remove = volumes.map(({ aside }): Undo => {
    return { step: 'create-volume', undo: [{ op: 'remove_tree', path: aside, tolerate: ['ENOENT'] }] }
  })
  return [{ step: SET_ASIDE, undo: setAside }, ...remove]
}

/** A volume with a name outlives its container and the failure of making it, as in Docker; one without does not. */
function undoOf({ directory, isAnonymous }: PlannedVolume, aside: string): Op[] {
  const made = isAnonymous ? [directory] : []
  return [...made, aside].map(path => ({ op: 'remove_tree', path, tolerate: ['ENOENT'] }))
}

function findVolumeStep({ directory, destination }: PlannedVolume): Step {
  return hostStep(
    'find-volume',
    `The volume at ${destination} was there when all this was decided. Looked for once more after config.json, which says that the volume is in use: from here on nobody removes it. Where somebody has, just before, all is undone and decided anew, and the volume is made.`,
    [{ op: 'access', paths: [directory] }],
    'run',
    [],
  )
}

function openVolumeStep({ directory, destination }: PlannedVolume, gid: number): Step {
  return hostStep(
    'open-volume',
    `The volume at ${destination} is there already and closed to all but root. The container’s root is an ordinary user out here, and needs a way through the directory to mount what is in it.`,
    openTo(directory, gid),
    'run',
    [],
  )
}

function openTo(path: string, gid: number): Op[] {
  return [
    { op: 'lchown', path, uid: 0, gid },
    { op: 'chmod', path, mode: 0o710 },
  ]
}

/** Copies what the image has at the place of each volume that is still empty. */
export function fillVolumesStep(spec: Spec, { volumes = [] }: PlanContext): Step[] {
  const empty = volumes.filter(({ isToBeFilled }) => isToBeFilled)
  if (empty.length === 0) return []
  return [
    containerStep(
      'fill-volumes',
      'A volume that is empty begins with what the image has at its place, owners and modes included. While the overlay shows the image as one tree and no volume covers it yet. Copied aside first, under a lock, and renamed into the volume when it is whole: two containers that begin together fill it once, and a copy that was cut short is begun anew by the next one.',
      empty.map(({ destination, directory }): Op => {
        const to = `${directory}/_data`
        return { op: 'copy_tree', in: spec.root.path, path: destination, to, tolerate: ['ENOTEMPTY'] }
      }),
      'What was copied belongs to the volume, and stays in it.',
    ),
  ]
}
