// What a plan needs beside the OCI configuration: where the container lives, and what this host is like.

import type { HostFacts } from './host.ts'

export type ContainerFile = { path: string; content: string; mode: number }

/** All of it is decided before the plan is made, so that making the plan is a pure function. */
export type PlanContext = {
  containerId: string
  /** <root>/containers/<id>: what outlives a run. */
  directory: string
  /** <run-root>/<id>: what dies with the machine. */
  runDirectory: string
  /** Where the name is claimed: a file whose creation fails if another container has it. */
  nameFile?: string
  /** config.json, hosts, hostname, resolv.conf; absolute paths below `directory`. */
  files: ContainerFile[]
  /** Further directories below `directory`, made before the files. */
  directories: { path: string; mode: number; uid?: number; gid?: number }[]
  /** For each bind mount's source whether the target must be a file or a directory. */
  bindSources: Record<string, 'file' | 'directory'>
  host: HostFacts
  /** Whether the container reads the client's standard input. */
  stdin: boolean
}
