// What minictr itself keeps of a container, beside the OCI configuration: container.json, the engine's half of what is
// known. The runtime never reads it.

import type { Port, PortWish } from '../networks/ports.ts'
import type { StdinUse } from '../runtime/op.ts'
import type { AskedOptions } from './asked.ts'
import type { HealthCheck } from './health-check.ts'
import type { LogOptions } from './log-options.ts'
import type { MountPoint } from './mount-points.ts'
import type { LinkWish, NetworkWish, RunOptions } from './options.ts'
import type { RestartPolicy } from './restart-policy.ts'

export type ContainerRecord = {
  name: string
  /** ISO 8601. */
  createdAt: string
  image: { name: string; id: string; digest: string }
  /** What the image and the user say is run, before it is one list of arguments. */
  entrypoint: string[]
  command: string[]
  /** `NAME=value` as the user and the image have it, the user's first; the OCI configuration adds what every program expects. */
  environment: string[]
  /** As the user or the image spelled it. */
  user: string
  labels: Record<string, string>
  /** The container goes when its process has ended (--rm). */
  removeAtExit: boolean
  /** What becomes of it when its process has ended (--restart). */
  restart?: RestartPolicy
  /** Missing where neither the image nor the user says anything of it. */
  health?: HealthCheck
  /** What `stop` sends first, in the form it was given; missing where neither the user nor the image names one. */
  stopSignal?: string
  /** How long `stop` waits before it kills. */
  stopTimeoutSeconds?: number
  stdin: StdinUse
  log: LogOptions
  /** The mounts a person or the image asked for. */
  mounts: MountPoint[]
  /** Of a /dev/shm that other containers may join. */
  sharedMemoryBytes?: number
  /** The ids of containers whose namespaces are joined: their processes are other ones at each start. */
  joins: { network?: string; ipc?: string; pid?: string }
  /** `none`, `host`, `container:ID`, or the name of the first network it was given. */
  networkMode: string
  /** The networks it joins when it starts, in this order; none where its network is not its own. */
  networks: NetworkWish[]
  /** Whether it is in the network `none`, where it has left or joined that since it was made. */
  isInNone?: boolean
  /** Of containers in its networks, which it is told of when it starts. */
  links: LinkWish[]
  ports: PortWishes
  /** What its hosts and resolv.conf are made of, anew at each start. */
  naming: NamingWishes
  asked: AskedOptions
}

export type PortWishes = {
  /** Which ports of the host lead to which of the container's. */
  published: PortWish[]
  /** What the image, `--expose` and `-p` name. */
  exposed: Port[]
  /** The exposed ports are published as well, where the host has one free. */
  publishesAll: boolean
}

export type NamingWishes = Pick<RunOptions, 'extraHosts' | 'dnsServers' | 'dnsSearch' | 'dnsOptions'>
