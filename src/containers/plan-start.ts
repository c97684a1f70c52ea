// Deciding the start of a container that is there: its configuration is what it was, and what may have changed meanwhile is
// looked up again.

import type { ContainerFile, PlanContext, PlannedVolume } from '../runtime/context.ts'
import { startPlan } from '../runtime/plan.ts'
import type { Spec } from '../runtime/spec.ts'
import type { Executor } from '../system/executor.ts'
import { hostFacts } from '../system/host-facts.ts'
import { bindSourceTypes } from './bind-sources.ts'
import type { Starting } from './decide-networks.ts'
import { thisHost } from './host-files.ts'
import { findRunning } from './lookup.ts'
import { networkFiles } from './network-files.ts'
import { askFilter } from './packet-filter.ts'
import type { DecidedNetworks } from './plan-networks.ts'
import type { PlannedContainer, RunSettings } from './plan-run.ts'
import type { ContainerRecord } from './record.ts'
import { type Container, containerPaths, type Roots } from './state.ts'

/** The size of the caller's terminal, where the container gets one like it. */
export type TerminalSize = { rows: number; columns: number }

export type StartChoices = {
  terminalSize?: TerminalSize
  /** Its restart policy starts it: only while that is still wanted. */
  isByPolicy?: boolean
  /** Answers questions about this host's packet filter. */
  executor?: Executor
}

/**
 * Decides a start completely and performs nothing of it. Throws MinictrError where a container whose namespaces it joins does
 * not run.
 */
export async function planStart(
  { id, record, spec: configured }: Container,
  settings: RunSettings,
  { terminalSize, isByPolicy = false, executor }: StartChoices = {},
): Promise<PlannedContainer> {
  const { directory, lock, runDirectory, restartWait } = containerPaths(settings, id)
  const joined = ofTerminal(ofJoined(configured, record, settings), terminalSize)
  const { spec, networks } = await joiningNetworks({ id, record, spec: joined }, settings, executor)
  const files = networks ? nameFiles(record, spec, directory, networks) : []
  const context: PlanContext = {
    containerId: id,
    directory,
    lockFile: lock,
    ...(isByPolicy && { restartFile: restartWait }),
    runDirectory,
    files: [],
    directories: [],
    volumes: await plannedVolumes(configured, record, settings),
    ...(record.sharedMemoryBytes !== undefined && {
      sharedMemory: { path: `${directory}/shm`, sizeBytes: record.sharedMemoryBytes },
    }),
    ...(networks && { networks: { ...networks.planned, files } }),
    bindSources: bindSourceTypes(spec, [], []),
    host: hostFacts(),
    stdin: record.stdin,
  }
  return { id, spec, record, plan: startPlan(spec, context), warnings: networks?.warnings ?? [] }
}

async function joiningNetworks(
  starting: Starting,
  settings: RunSettings,
  executor: Executor | undefined,
): Promise<{ spec: Spec; networks?: DecidedNetworks }> {
  if (starting.record.networks.length === 0) return { spec: starting.spec }
  const { decideNetworks, withLinks } = await import('./decide-networks.ts')
  const networks = await decideNetworks(starting, settings, executor && askFilter(executor))
  return { spec: withLinks(starting.spec, networks), networks }
}

/** hosts and resolv.conf; the container's name is what it was. */
function nameFiles(
  record: ContainerRecord,
  { hostname = '' }: Spec,
  directory: string,
  { names }: DecidedNetworks,
): ContainerFile[] {
  const all = networkFiles(record, hostname, directory, thisHost, names)
  return all.filter(({ path }) => !path.endsWith('/hostname'))
}

/** The namespaces of other containers are those of their processes of today. */
function ofJoined(spec: Spec, { joins }: ContainerRecord, roots: Roots): Spec {
  if (Object.keys(joins).length === 0) return spec
  const namespaces = spec.linux.namespaces.map(namespace => {
    const joined = Object.entries(joins).find(([type]) => type === namespace.type)?.[1]
    if (joined === undefined || namespace.path === undefined) return namespace
    const file = namespace.path.slice(namespace.path.lastIndexOf('/'))
    return { ...namespace, path: `/proc/${findRunning(roots, joined).pid}/ns${file}` }
  })
  return { ...spec, linux: { ...spec.linux, namespaces } }
}

function ofTerminal(spec: Spec, size: TerminalSize | undefined): Spec {
  if (!spec.process.terminal || !size) return spec
  return {
    ...spec,
    process: { ...spec.process, consoleSize: { height: size.rows, width: size.columns } },
  }
}

/** Those that are empty begin with what the image has at their places, as at the first start. */
async function plannedVolumes(
  spec: Spec,
  { mounts }: ContainerRecord,
  roots: Roots,
): Promise<PlannedVolume[]> {
  const points = mounts.filter(({ type }) => type === 'volume')
  if (points.length === 0) return []
  const [{ VolumeStore }, { rootHasDirectory }] = await Promise.all([
    import('../volumes/store.ts'),
    import('./root-layers.ts'),
  ])
  const store = new VolumeStore(roots.root)
  return points.map(({ name, source, destination, isAnonymous = false, copiesContent }) => ({
    directory: store.directoryOf(name!),
    destination,
    isAnonymous,
    isToBeFilled:
      copiesContent === true &&
      source === store.dataOf(name!) &&
      store.isEmpty(name!) &&
      rootHasDirectory(spec, destination),
  }))
}
