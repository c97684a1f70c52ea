// Volumes without a name: directories of the container's own, which begin with what the image has at their place.

import type { LayerStack } from '../images/layer-stack.ts'
import type { Mount } from '../runtime/spec.ts'
import { hostOwner, type IdMappings } from './id-mapping.ts'
import type { AnonymousVolume } from './options.ts'

/** A directory to be made while the plan is performed. */
export type NewDirectory = { path: string; mode: number; uid?: number; gid?: number }

export type VolumeMount = { mount: Mount; directories: NewDirectory[] }

/**
 * The mount of a volume at `directory`. What the image has there lies below it as the lower directories of an overlay:
 * shown in the volume, never copied until it is changed. With mapped users the owners of lower directories would be
 * wrong, so such a volume begins empty.
 */
export function volumeMount(
  { target, isReadOnly, copiesContent }: AnonymousVolume,
  directory: string,
  image: LayerStack,
  mappings: IdMappings | undefined,
): VolumeMount {
  const found = copiesContent ? image.find(target) : undefined
  const { mode = 0o755, uid = 0, gid = 0 } = found?.stats.isDirectory() ? found.stats : {}
  const data = `${directory}/data`
  const directories = [
    { path: directory, mode: 0o711 },
    { path: data, mode: mode & 0o7777, ...hostOwner(uid, gid, mappings) },
  ]
  const access = isReadOnly ? ['ro'] : []
  const lower = found?.directories ?? []
  if (lower.length === 0 || mappings) {
    const mount = { destination: target, type: 'bind', source: data, options: ['rbind', ...access] }
    return { mount, directories }
  }
  const work = `${directory}/work`
  const options = [
    `lowerdir=${lower.map(escaped).join(':')}`,
    `upperdir=${escaped(data)}`,
    `workdir=${escaped(work)}`,
  ]
  return {
    mount: { destination: target, type: 'overlay', source: 'overlay', options: [...options, ...access] },
    directories: [...directories, { path: work, mode: 0o700 }],
  }
}

/** overlayfs splits its options at commas and colons. */
function escaped(path: string): string {
  return path.replace(/[\\:,]/g, '\\$&')
}
