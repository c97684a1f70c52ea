// Deciding a new container: everything that can be known before anything is done, put together into one plan.

import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import { LayerStack } from '../images/layer-stack.ts'
import { LayerStore } from '../images/layers.ts'
import { type Image, ImageStore } from '../images/store.ts'
import { createPlan, plan } from '../runtime/plan.ts'
import type { Spec } from '../runtime/spec.ts'
import type { Plan } from '../runtime/step.ts'
import { MinictrError } from '../system/error.ts'
import type { Executor } from '../system/executor.ts'
import { hostFacts } from '../system/host-facts.ts'
import { randomBytes } from '../system/random.ts'
import { bindSourceTypes } from './bind-sources.ts'
import { makeConfig } from './config.ts'
import { configuredRemap } from './configured-remap.ts'
import { chooseLog } from './log-options.ts'
import { claimantOf, findContainer, findJoinable, findRunning } from './lookup.ts'
import { friendlyName } from './names.ts'
import type { NetworkNames } from './network-files.ts'
import { HOST_GATEWAY, type RunOptions } from './options.ts'
import { type AskedFilter, askFilter } from './packet-filter.ts'
import type { DecidedNetworks } from './plan-networks.ts'
import type { ContainerRecord } from './record.ts'
import { containerPaths, type Roots, readContainer } from './state.ts'
import type { ChosenVolumes } from './volumes.ts'

export type RunSettings = Roots & { configFile: string }

/** A container that is about to be made, or started. */
export type PlannedContainer = {
  id: string
  spec: Spec
  record: ContainerRecord
  plan: Plan
  /** What Docker prints as WARNING: wishes this host cannot meet, left out. */
  warnings: string[]
}

/**
 * Decides a run completely, or with `create` only the making of its container, and performs nothing of it: id, name,
 * configuration and plan. The image must be here; it is looked up unless it is `known`. `executor` answers questions about this
 * host's packet filter, which are left out without one.
 *
 * Throws MinictrError for an image that is not here, a name that is taken, and wishes that cannot be met.
 */
export async function planRun(
  options: RunOptions,
  settings: RunSettings,
  known?: Image,
  how: 'run' | 'create' = 'run',
  executor?: Executor,
): Promise<PlannedContainer> {
  const filter = executor && how === 'run' && options.networks.length > 0 ? askFilter(executor) : undefined
  const facts = hostFacts()
  const image = known ?? (await findImage(options, settings))
  const layers = new LayerStore(`${settings.root}/layers`).layersOf(image)
  const random = randomBytes(32)
  const id = random.toString('hex')
  const name = options.name === undefined ? freeName(settings, random) : await untaken(settings, options.name)
  const paths = containerPaths(settings, id)
  const stack = new LayerStack(layers)
  const createdAt = new Date().toISOString()
  const { mounts, volumes } = await chooseMounted(options, image, { layers: stack, createdAt, settings })
  const usernsRemap = configuredRemap(settings.configFile)
  const { record, directories, sharedMemory, ...made } = makeConfig({
    id,
    name,
    createdAt,
    options,
    image: { name: options.image, id: image.id, digest: image.digest, config: image.config },
    layers: stack,
    layerPaths: layers.map(({ path }) => path),
    mounts,
    log: chooseLog(options.log, settings.configFile),
    directory: paths.directory,
    ...(usernsRemap !== undefined && { usernsRemap }),
    facts,
    findRunning: container =>
      how === 'create' ? findJoinable(settings, container) : findRunning(settings, container),
  })
  checkWorkingDirectory(made.spec, stack)
  await checkLinked(record, settings)
  const asFile = (path: string, content: object) => {
    return { path, content: `${JSON.stringify(content, null, 2)}\n`, mode: 0o600 }
  }
  const starting = { id, record, spec: made.spec }
  const { spec, names, networks } = await chooseJoined(starting, settings, how, filter)
  const files = made.files(names)
  const context = {
    containerId: id,
    directory: paths.directory,
    lockFile: paths.lock,
    runDirectory: paths.runDirectory,
    nameFile: paths.nameFile(name),
    storeDirectory: `${settings.root}/images`,
    files: [...files, asFile(paths.config, spec), asFile(paths.record, record)],
    directories,
    volumes,
    ...(sharedMemory && { sharedMemory }),
    ...(networks && { networks: networks.planned }),
    bindSources: bindSourceTypes(
      spec,
      files.map(({ path }) => path),
      directories,
    ),
    host: facts,
    stdin: record.stdin,
    isKept: !record.removeAtExit,
  }
  const planned = how === 'create' ? createPlan(spec, context) : plan(spec, context)
  return { id, spec, record, plan: planned, warnings: [...made.warnings, ...(networks?.warnings ?? [])] }
}

/**
 * Docker makes the working directory when it makes the container; here that is a step of each start, and whether it can be is
 * seen before. What is mounted there or above is not the image's. Throws MinictrError where something else is there.
 */
function checkWorkingDirectory({ process: { cwd }, mounts }: Spec, image: LayerStack): void {
  for (let path = cwd; path !== '/'; path = posix.dirname(path)) {
    if (mounts.some(({ destination }) => destination === path)) return
    const found = image.find(path)
    if (found && !found.stats.isDirectory()) throw workingDirectoryError(cwd)
    if (found) return
  }
}

/** The error for a working directory that cannot be made. */
export function workingDirectoryError(path: string, cause?: unknown): MinictrError {
  return new MinictrError(
    `the working directory cannot be made: ${path}, or a part of it, is not a directory in the image`,
    { remedy: 'Choose another --workdir.', cause },
  )
}

/** Most runs have no link, and pay nothing for them. */
async function checkLinked(record: ContainerRecord, settings: RunSettings): Promise<void> {
  if (record.links.length === 0) return
  const { checkLinks } = await import('./linked.ts')
  checkLinks(record, { findContainer: text => findContainer(settings, text) })
}

/** Most containers have a network of their own; others pay nothing for it. */
async function chooseJoined(
  { id, record, spec }: { id: string; record: ContainerRecord; spec: Spec },
  settings: RunSettings,
  how: 'run' | 'create',
  filter: AskedFilter | undefined,
): Promise<{ spec: Spec; names?: NetworkNames; networks?: DecidedNetworks }> {
  const isJoining = how === 'run' && record.networks.length > 0
  const asksForHost = record.naming.extraHosts.some(({ address }) => address === HOST_GATEWAY)
  if (!isJoining && !asksForHost) return { spec }
  const { decideNetworks, hostGatewayOnly, withLinks } = await import('./decide-networks.ts')
  if (!isJoining) return { spec, names: hostGatewayOnly(settings) }
  const networks = await decideNetworks({ id, record, spec }, settings, filter)
  return { spec: withLinks(spec, networks), names: networks.names, networks }
}

type Planning = { layers: LayerStack; createdAt: string; settings: RunSettings }

/** Most runs have no volume, and pay nothing for them. */
async function chooseMounted(
  options: RunOptions,
  image: Image,
  { layers, createdAt, settings }: Planning,
): Promise<ChosenVolumes> {
  const mounts = options.mounts.filter(mount => mount.type !== 'volume')
  const imageVolumes = Object.keys(image.config.config?.Volumes ?? {})
  if (mounts.length === options.mounts.length && imageVolumes.length + options.volumesFrom.length === 0) {
    return { mounts, volumes: [] }
  }
  const [{ chooseVolumes }, { VolumeStore }] = await Promise.all([
    import('./volumes.ts'),
    import('../volumes/store.ts'),
  ])
  return chooseVolumes({
    options,
    imageVolumes,
    image: layers,
    store: new VolumeStore(settings.root),
    mountsOf: container => findContainer(settings, container).record.mounts,
    newName: () => randomBytes(32).toString('hex'),
    createdAt,
  })
}

async function findImage({ image, platform }: RunOptions, { root }: RunSettings): Promise<Image> {
  const store = new ImageStore(`${root}/images`)
  if (platform === undefined) return store.resolve(image)
  const { parsePlatform } = await import('../images/platform.ts')
  return store.resolve(image, parsePlatform(platform))
}

/** A name nobody has; the claim itself is a step of the plan, this only saves most from losing it. */
function freeName(roots: Roots, random: Uint8Array): string {
  for (let at = 0; at + 1 < random.length; at++) {
    const name = friendlyName(random.subarray(at))
    if (!existsSync(containerPaths(roots, '').nameFile(name))) return name
  }
  return `${friendlyName(random)}_${Buffer.from(random).toString('hex', 0, 4)}`
}

async function untaken(roots: RunSettings, name: string): Promise<string> {
  let id = claimantOf(roots, name)
  if (id !== undefined && !readContainer(roots, id)) {
    // It is being made just now, or a crash has left the name behind.
    const [{ recover }, { releaseLostName }] = await Promise.all([
      import('./recover.ts'),
      import('./sweep.ts'),
    ])
    await recover(roots)
    await releaseLostName(roots, name)
    id = claimantOf(roots, name)
  }
  if (id === undefined) return name
  throw nameConflict(name, id)
}

/** The error, in Docker's words, for a name that the container with this id has. */
export function nameConflict(name: string, id: string): MinictrError {
  return new MinictrError(
    `Conflict. The container name "/${name}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    { remedy: `minictr rm ${name}` },
  )
}
