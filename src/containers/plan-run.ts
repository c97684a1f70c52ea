// Deciding a run: everything that can be known before anything is done, put together into one plan.

import { existsSync, readFileSync, statSync } from 'node:fs'
import { LayerStack } from '../images/layer-stack.ts'
import { LayerStore } from '../images/layers.ts'
import { type Image, ImageStore } from '../images/store.ts'
import { parseMountOptions } from '../runtime/mount-options.ts'
import { plan } from '../runtime/plan.ts'
import type { Spec } from '../runtime/spec.ts'
import type { Plan } from '../runtime/step.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import { hostFacts } from '../system/host-facts.ts'
import { randomBytes } from '../system/random.ts'
import { makeConfig } from './config.ts'
import { configuredRemap } from './configured-remap.ts'
import { friendlyName } from './names.ts'
import type { RunOptions } from './options.ts'
import { containerPaths, findRunning, type Roots, readContainer } from './state.ts'

export type RunSettings = Roots & { configFile: string }

export type PlannedRun = {
  id: string
  name: string
  image: Image
  spec: Spec
  plan: Plan
  /** What Docker prints as WARNING: wishes this host cannot meet, left out. */
  warnings: string[]
}

/**
 * Decides a run completely and performs nothing of it: id, name, configuration and plan. The image must be here; it is
 * looked up unless it is `known`.
 *
 * Throws MinictrError for an image that is not here, a name that is taken, and wishes that cannot be met.
 */
export async function planRun(
  options: RunOptions,
  settings: RunSettings,
  known?: Image,
): Promise<PlannedRun> {
  const facts = hostFacts()
  const image = known ?? (await findImage(options, settings))
  const layers = new LayerStore(`${settings.root}/layers`).layersOf(image)
  const random = randomBytes(32)
  const id = random.toString('hex')
  const name = options.name === undefined ? freeName(settings, random) : untaken(settings, options.name)
  const paths = containerPaths(settings, id)
  const usernsRemap = configuredRemap(settings.configFile)
  const { spec, files, directories, warnings } = makeConfig({
    id,
    name,
    createdAt: new Date().toISOString(),
    options,
    image: { name: options.image, id: image.id, digest: image.digest, config: image.config },
    layers: new LayerStack(layers),
    layerPaths: layers.map(({ path }) => path),
    directory: paths.directory,
    runDirectory: paths.runDirectory,
    ...(usernsRemap !== undefined && { usernsRemap }),
    facts,
    findRunning: container => findRunning(settings, container),
  })
  const config = { path: paths.config, content: `${JSON.stringify(spec, null, 2)}\n`, mode: 0o600 }
  const context = {
    containerId: id,
    directory: paths.directory,
    runDirectory: paths.runDirectory,
    nameFile: paths.nameFile(name),
    files: [...files, config],
    directories,
    bindSources: bindSourceTypes(spec, [...files.map(({ path }) => path)], directories),
    host: facts,
    stdin: options.interactive,
  }
  return { id, name, image, spec, plan: plan(spec, context), warnings }
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

function untaken(roots: Roots, name: string): string {
  let id: string
  try {
    id = readFileSync(containerPaths(roots, '').nameFile(name), 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return name
    throw error
  }
  throw new MinictrError(
    `Conflict. The container name "/${name}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    { remedy: readContainer(roots, id) ? `minictr rm ${name}` : 'minictr system recover', exitStatus: 125 },
  )
}

/** What a bind mount needs at its target: the sources that are there now, and those the plan itself will make. */
function bindSourceTypes(
  spec: Spec,
  files: string[],
  directories: { path: string }[],
): Record<string, 'file' | 'directory'> {
  const types: Record<string, 'file' | 'directory'> = {}
  const binds = spec.mounts.filter(({ options }) => parseMountOptions(options ?? []).bind)
  for (const { source } of binds) {
    if (source === undefined) continue
    if (files.includes(source)) types[source] = 'file'
    else if (directories.some(({ path }) => path === source)) types[source] = 'directory'
    else
      types[source] =
        statSync(source, { throwIfNoEntry: false })?.isDirectory() === false ? 'file' : 'directory'
  }
  return types
}
