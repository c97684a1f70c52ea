// The volumes of a run: every one gets a name, those of other containers and of the image are added, and what has to be
// made or filled is found out.

import { posix } from 'node:path'
import type { LayerStack } from '../images/layer-stack.ts'
import type { PlannedVolume } from '../runtime/context.ts'
import { MinictrError } from '../system/error.ts'
import type { VolumeStore } from '../volumes/store.ts'
import { mountOfVolume, newVolume, type Volume, volumeText } from '../volumes/volume.ts'
import type { MountPoint, NamedVolume, ResolvedMount } from './mount-points.ts'
import type { RunOptions, VolumeMount } from './options.ts'

/** The volumes there are. */
type KnownVolumes = Pick<VolumeStore, 'read' | 'isEmpty' | 'directoryOf' | 'dataOf'>

export type VolumeRequest = {
  options: Pick<RunOptions, 'mounts' | 'volumesFrom'>
  /** Mount points the image declares (VOLUME). */
  imageVolumes: string[]
  image: LayerStack
  store: KnownVolumes
  /** The mounts of another container; throws MinictrError where there is none. */
  mountsOf(container: string): MountPoint[]
  /** A name for a volume without one: 64 hexadecimal digits. */
  newName(): string
  /** ISO 8601. */
  createdAt: string
}

export type ChosenVolumes = { mounts: ResolvedMount[]; volumes: PlannedVolume[] }

/**
 * All mounts of a run in Docker's order of precedence: what the user mounts at a place counts before what --volumes-from
 * has there, and that before the image's volume. Nothing is changed. Throws MinictrError, in Docker's words, for names and
 * options that cannot be. Source: moby, daemon/volumes.go (registerMountPoints), daemon/create_unix.go.
 */
export function chooseVolumes(request: VolumeRequest): ChosenVolumes {
  const { options, store } = request
  const isNew = new Map<string, Volume>()
  const named = (mount: VolumeMount): NamedVolume => {
    const name = mount.name ?? request.newName()
    const known = store.read(name) ?? isNew.get(name)
    const volume = known ?? newVolume(mount, name, request.createdAt)
    if (known === undefined) isNew.set(name, volume)
    return withSource({ ...mount, name }, volume, store)
  }
  const asked = options.mounts.map(mount => (mount.type === 'volume' ? named(mount) : mount))
  const others = options.volumesFrom.flatMap(({ container, isReadOnly }) =>
    request.mountsOf(container).flatMap(point => taken(point, isReadOnly, named)),
  )
  const places = new Map([...others, ...asked].map(mount => [mount.target, mount]))
  for (const target of declaredPlaces(request.imageVolumes)) {
    if (places.has(target)) continue
    places.set(target, named({ type: 'volume', target, isReadOnly: false, copiesContent: true }))
  }
  const mounts = [...places.values()]
  return { mounts, volumes: plannedVolumes(mounts, request, isNew) }
}

function withSource(mount: VolumeMount & { name: string }, volume: Volume, store: KnownVolumes): NamedVolume {
  const dataDirectory = store.dataOf(volume.name)
  return {
    ...mount,
    isAnonymous: volume.isAnonymous,
    dataDirectory,
    mount: mountOfVolume(volume, dataDirectory),
  }
}

/** What --volumes-from takes over of one mount; a file system in memory is nobody else's. */
function taken(
  point: MountPoint,
  isReadOnly: boolean,
  named: (mount: VolumeMount) => NamedVolume,
): ResolvedMount[] {
  const common = { target: point.destination, isReadOnly: isReadOnly || point.isReadOnly }
  if (point.type === 'tmpfs') return []
  if (point.type === 'volume') {
    return [named({ type: 'volume', name: point.name!, ...common, copiesContent: false })]
  }
  const { source, isRecursive = true, propagation } = point
  return [{ type: 'bind', source, ...common, createsSource: true, isRecursive, propagation }]
}

function declaredPlaces(imageVolumes: string[]): string[] {
  const places = imageVolumes.map(path => posix.resolve('/', path)).sort()
  if (!places.includes('/')) return places
  throw new MinictrError('the image declares a volume at /, which would hide all that is in it', {
    remedy: 'Ask its publisher to take that VOLUME out.',
  })
}

function plannedVolumes(
  mounts: ResolvedMount[],
  { store, image }: Pick<VolumeRequest, 'store' | 'image'>,
  isNew: Map<string, Volume>,
): PlannedVolume[] {
  const made = new Set<string>()
  return mounts.flatMap(mount => {
    if (mount.type !== 'volume') return []
    refuseOverFile(mount, image)
    const { name, target: destination, isAnonymous } = mount
    const volume = made.has(name) ? undefined : isNew.get(name)
    made.add(name)
    return {
      directory: store.directoryOf(name),
      destination,
      ...(volume && { record: volumeText(volume) }),
      isAnonymous,
      isToBeFilled: isToBeFilled(mount, store, image),
    }
  })
}

/** A volume is a directory. Source: moby, daemon/create_unix.go. */
function refuseOverFile({ target }: NamedVolume, image: LayerStack): void {
  const found = image.find(target)
  if (!found || found.stats.isDirectory()) return
  throw new MinictrError(`cannot mount volume over existing file, file exists ${target}`, {
    remedy: 'Choose another place for the volume.',
  })
}

/** A volume with a device of its own is mounted in the container alone: nothing could be copied to it before. */
function isToBeFilled(
  { name, target, copiesContent, mount, dataDirectory }: NamedVolume,
  store: KnownVolumes,
  image: LayerStack,
): boolean {
  if (!copiesContent || mount.source !== dataDirectory || !store.isEmpty(name)) return false
  return image.find(target)?.stats.isDirectory() === true
}
