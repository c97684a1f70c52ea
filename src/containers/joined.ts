// Another, running container whose namespaces are joined: what else of it has to be shared for that to make sense.

import type { Spec } from '../runtime/spec.ts'
import { MinictrError } from '../system/error.ts'
import type { NamespaceChoices, NetworkMode } from './options.ts'

/** A running container: its process as the host sees it, and its OCI configuration. */
export type Joinable = { id: string; pid: number; spec: Spec }

/** Finds a running container by name or id; throws MinictrError where there is none. */
export type FindRunning = (container: string) => Joinable

/** The name of the container whose network is joined, and where its hosts, hostname and resolv.conf are. */
export function joinedNetwork(
  network: NetworkMode,
  findRunning: FindRunning,
): { hostname: string; directory: string } | undefined {
  if (typeof network === 'string') return undefined
  const { spec } = findRunning(network.container)
  const hosts = spec.mounts.find(({ destination }) => destination === '/etc/hosts')?.source
  if (hosts === undefined) {
    throw new MinictrError(
      `--network container:${network.container}: that container has no /etc/hosts to share`,
    )
  }
  return { hostname: spec.hostname ?? '', directory: hosts.slice(0, hosts.lastIndexOf('/')) }
}

/**
 * The host's directory that is /dev/shm in all containers of one IPC namespace; undefined for one that shares it with
 * nobody. For one that others may join that is a place in its own directory, closed to the host's other users. Throws
 * MinictrError for a container that was not made to be joined.
 */
export function sharedMemory(
  ipc: NamespaceChoices['ipc'],
  directory: string,
  findRunning: FindRunning,
): string | undefined {
  if (ipc === 'host') return '/dev/shm'
  if (ipc === 'shareable') return `${directory}/shm`
  if (typeof ipc === 'string') return undefined
  const { spec } = findRunning(ipc.container)
  const shm = spec.mounts.find(({ destination }) => destination === '/dev/shm')
  if (shm?.type === 'bind' && shm.source) return shm.source
  throw new MinictrError(`can't join IPC of container ${ipc.container}: non-shareable IPC`, {
    remedy: 'Start that container with --ipc shareable.',
  })
}
