// The image configuration: what to run and which layers make the root, checked before it is believed.

import { MinictrError } from '../system/error.ts'
import { asList, isObject, parseObject, show } from './checked-json.ts'
import { type Manifest, MEDIA_TYPES } from './manifest.ts'
import { assertDigest } from './reference.ts'

export type HealthCheck = {
  Test?: string[] | null
  Interval?: number
  Timeout?: number
  StartPeriod?: number
  StartInterval?: number
  Retries?: number
}

/** The image configuration: what to run and which layers make its root (OCI image spec, config.md). */
export type ImageConfig = {
  architecture: string
  os: string
  variant?: string
  'os.version'?: string
  'os.features'?: string[]
  created?: string
  author?: string
  config?: {
    User?: string
    ExposedPorts?: Record<string, object>
    Env?: string[] | null
    Entrypoint?: string[] | null
    Cmd?: string[] | null
    Volumes?: Record<string, object> | null
    WorkingDir?: string
    Labels?: Record<string, string> | null
    StopSignal?: string
    Healthcheck?: HealthCheck | null
    Shell?: string[] | null
    OnBuild?: string[] | null
  }
  rootfs: { type: 'layers'; diff_ids: string[] }
  history?: {
    created?: string
    created_by?: string
    author?: string
    comment?: string
    empty_layer?: boolean
  }[]
}

/** Whether a manifest is that of an image: other things are kept in registries too, with a configuration of their own. */
export function isImageConfig({ config }: Manifest): boolean {
  return config.mediaType === MEDIA_TYPES.ociConfig || config.mediaType === MEDIA_TYPES.dockerConfig
}

/**
 * Reads an image configuration. Throws MinictrError saying which field is wrong, or that the number of layers does not
 * agree with the manifest's where `layerCount` is given. Source: OCI image spec, config.md.
 */
export function parseImageConfig(bytes: Uint8Array, what: string, layerCount?: number): ImageConfig {
  const value = parseObject(bytes, what)
  for (const field of ['architecture', 'os'] as const) {
    if (typeof value[field] !== 'string')
      throw new MinictrError(`${what}: ${field} is ${show(value[field])}, not a text`)
  }
  const diffIds = asList(
    (value.rootfs as { diff_ids?: unknown } | undefined)?.diff_ids,
    `${what}: rootfs.diff_ids`,
  )
  for (const diffId of diffIds) {
    if (typeof diffId !== 'string')
      throw new MinictrError(`${what}: rootfs.diff_ids holds ${show(diffId)}, not a digest`)
    assertDigest(diffId)
  }
  if (layerCount !== undefined && layerCount !== diffIds.length) {
    throw new MinictrError(`${what} names ${diffIds.length} layers, its manifest ${layerCount}`)
  }
  checkRunConfig(value.config ?? undefined, `${what}: config`)
  return { ...value, config: value.config ?? undefined } as unknown as ImageConfig
}

/** What images say of how they are run, by the form it must have; null is as good as nothing. */
const RUN_FIELDS = {
  text: ['User', 'WorkingDir', 'StopSignal'],
  list: ['Env', 'Cmd', 'Entrypoint', 'Shell'],
  object: ['Volumes', 'Labels', 'ExposedPorts', 'Healthcheck'],
}

/** The same for the health check; times are whole nanoseconds. */
const HEALTH_FIELDS = {
  list: ['Test'],
  number: ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'],
}

function checkRunConfig(config: unknown, what: string): void {
  if (config === undefined) return
  if (!isObject(config)) throw new MinictrError(`${what} is ${show(config)}, not an object`)
  checkFields(config, what, RUN_FIELDS.text, 'a text', isText)
  checkFields(config, what, RUN_FIELDS.list, 'a list of texts', isTexts)
  checkFields(config, what, RUN_FIELDS.object, 'an object', isObject)
  const health = config.Healthcheck
  if (!isObject(health)) return
  checkFields(health, `${what}.Healthcheck`, HEALTH_FIELDS.list, 'a list of texts', isTexts)
  checkFields(health, `${what}.Healthcheck`, HEALTH_FIELDS.number, 'a whole number', Number.isInteger)
}

function checkFields(
  object: Record<string, unknown>,
  what: string,
  fields: string[],
  kind: string,
  isRight: (value: unknown) => boolean,
): void {
  const wrong = fields.find(field => (object[field] ?? undefined) !== undefined && !isRight(object[field]))
  if (wrong !== undefined) throw new MinictrError(`${what}.${wrong} is ${show(object[wrong])}, not ${kind}`)
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText)
}
