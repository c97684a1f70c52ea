// What a plan needs beside the OCI configuration: where the container lives, and what this host is like.

import type { HostFacts } from './host.ts'
import type { StdinUse } from './op.ts'
import type { PlannedNetworks } from './planned-networks.ts'

export type ContainerFile = { path: string; content: string; mode: number }

/** A volume that will be mounted. */
export type PlannedVolume = {
  /** <root>/volumes/NAME; its content lies in `_data` there. */
  directory: string
  /** Where it will be in the container. */
  destination: string
  /** The text of its volume.json, where the volume is yet to be made. */
  record?: string
  isAnonymous: boolean
  /** Whether it is empty, and the image has a directory at its place. */
  isToBeFilled: boolean
}

/** Where it is on the host, below `directory`, and its most bytes. */
export type SharedMemory = { path: string; sizeBytes: number }

/** All of it is decided before the plan is made, so that making the plan is a pure function. */
export type PlanContext = {
  containerId: string
  /** <root>/containers/<id>: what outlives a run. */
  directory: string
  /** Held while the container is started, ended or changed: a file in `directory`. */
  lockFile: string
  /** A start by the restart policy: it is wanted while this file is there. */
  restartFile?: string
  /** <run-root>/<id>: what dies with the machine. */
  runDirectory: string
  /** Where the name is claimed: a file whose creation fails if another container has it. */
  nameFile?: string
  /** The image store, where the root's layers are an image's: locked until the container is known to use them. */
  storeDirectory?: string
  /** config.json, hosts, hostname, resolv.conf; absolute paths below `directory`. */
  files: ContainerFile[]
  /** Further directories below `directory`, made before the files. */
  directories: { path: string; mode: number; uid?: number; gid?: number }[]
  /** A /dev/shm that other containers may join. */
  sharedMemory?: SharedMemory
  /** For each bind mount's source whether the target must be a file or a directory. */
  bindSources: Record<string, 'file' | 'directory'>
  /** Those among the mounts that are volumes of minictr's. */
  volumes?: PlannedVolume[]
  /** Of a container with a network of its own that is joined to others. */
  networks?: PlannedNetworks
  host: HostFacts
  stdin: StdinUse
  /** A container that is made and cannot be started is there all the same. */
  isKept?: boolean
}
