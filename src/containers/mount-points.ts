// What a container's record says of its mounts: what --volumes-from takes over, what keeps a volume from being removed.

import type { BindMount, Propagation, TmpfsMount, VolumeMount } from './options.ts'

/** A mount that a person or an image asked for. */
export type MountPoint = {
  type: 'bind' | 'volume' | 'tmpfs'
  /** Of a volume. */
  name?: string
  /** On this host; of a volume its content's directory. */
  source: string
  destination: string
  isReadOnly: boolean
  /** A volume nobody named. */
  isAnonymous?: boolean
  /** A volume that begins with what the image has at its place. */
  copiesContent?: boolean
  /** Of a bind mount. */
  isRecursive?: boolean
  propagation?: Propagation
}

/** A volume whose name is known, and what is mounted for it. */
export type NamedVolume = Omit<VolumeMount, 'name'> & {
  name: string
  isAnonymous: boolean
  /** Where its content lies. */
  dataDirectory: string
  /** Options as in mount(8). */
  mount: { type: string; source: string; options: string[] }
}

export type ResolvedMount = BindMount | TmpfsMount | NamedVolume

/** The mount points of a container's record. */
export function recordedMounts(mounts: readonly ResolvedMount[]): MountPoint[] {
  return mounts.map(mount => {
    const { type, target: destination, isReadOnly } = mount
    if (mount.type === 'tmpfs') return { type, source: '', destination, isReadOnly }
    if (mount.type === 'bind') {
      const { source, isRecursive, propagation } = mount
      return { type, source, destination, isReadOnly, isRecursive, ...(propagation && { propagation }) }
    }
    const { name, dataDirectory: source, isAnonymous, copiesContent } = mount
    return { type, name, source, destination, isReadOnly, isAnonymous, copiesContent }
  })
}
