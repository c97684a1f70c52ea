// What an image is made of, as JSON: manifest, index and image configuration, checked before they are believed.

import { MinictrError } from '../system/error.ts'
import type { Platform } from './platform.ts'
import { assertDigest } from './reference.ts'

export const MEDIA_TYPES = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const

/** A pointer to a blob: what it is, its digest and its exact size (OCI image spec, descriptor.md). */
export type Descriptor = {
  mediaType: string
  digest: string
  size: number
  annotations?: Record<string, string>
  platform?: Platform
  urls?: string[]
  artifactType?: string
}

export type Manifest = {
  schemaVersion: 2
  mediaType?: string
  config: Descriptor
  layers: Descriptor[]
  annotations?: Record<string, string>
}

export type Index = {
  schemaVersion: 2
  mediaType?: string
  manifests: Descriptor[]
  annotations?: Record<string, string>
}

export type HealthCheck = {
  Test?: string[]
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
    Healthcheck?: HealthCheck
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

/**
 * Reads a manifest or an index, OCI's or Docker's, and checks everything later code relies on. `what` names it in errors;
 * `mediaType` is what its descriptor or the Content-Type header calls it. Throws MinictrError saying which field is wrong.
 * Source: OCI image spec, manifest.md and image-index.md; Docker's "Image Manifest Version 2, Schema 2".
 */
export function parseManifestOrIndex(bytes: Uint8Array, what: string, mediaType?: string): Manifest | Index {
  const value = parseObject(bytes, what)
  if (value.schemaVersion !== 2) {
    throw new MinictrError(
      `${what} has schema version ${show(value.schemaVersion)}; only version 2 is supported`,
      {
        remedy:
          'Ask the publisher to push the image again with a current tool: schema 1 has been withdrawn since 2019.',
      },
    )
  }
  const named = value.mediaType
  if (named !== undefined && mediaType !== undefined && named !== mediaType) {
    throw new MinictrError(`${what} calls itself ${show(named)} but was announced as ${mediaType}`)
  }
  // A document that is both could be read as one thing here and as another elsewhere.
  if (value.manifests !== undefined && (value.config !== undefined || value.layers !== undefined)) {
    throw new MinictrError(`${what} is a manifest and an index at once`)
  }
  if (value.manifests !== undefined) {
    checkDescriptors(value.manifests, `${what}: manifests`)
    return value as Index
  }
  checkDescriptor(value.config, `${what}: config`)
  checkDescriptors(value.layers, `${what}: layers`)
  return value as Manifest
}

/** Reads a manifest that must be an image's own, not an index. Throws MinictrError. */
export function parseManifest(bytes: Uint8Array, what: string, mediaType?: string): Manifest {
  const value = parseManifestOrIndex(bytes, what, mediaType)
  if (isIndex(value))
    throw new MinictrError(`${what} is an index of several images where one image is needed`)
  return value
}

/** Whether a parsed document lists several images rather than being one. */
export function isIndex(value: Manifest | Index): value is Index {
  return 'manifests' in value
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
  list: ['Env', 'Cmd', 'Entrypoint'],
  object: ['Volumes', 'Labels', 'ExposedPorts'],
}

function checkRunConfig(config: unknown, what: string): void {
  if (config === undefined) return
  if (!isObject(config)) throw new MinictrError(`${what} is ${show(config)}, not an object`)
  const check = (fields: string[], kind: string, isRight: (value: unknown) => boolean) => {
    const wrong = fields.find(field => (config[field] ?? undefined) !== undefined && !isRight(config[field]))
    if (wrong !== undefined) throw new MinictrError(`${what}.${wrong} is ${show(config[wrong])}, not ${kind}`)
  }
  const isText = (value: unknown) => typeof value === 'string'
  check(RUN_FIELDS.text, 'a text', isText)
  check(RUN_FIELDS.list, 'a list of texts', value => Array.isArray(value) && value.every(isText))
  check(RUN_FIELDS.object, 'an object', isObject)
}

type Json = Record<string, unknown>

function parseObject(bytes: Uint8Array, what: string): Json {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch (cause) {
    throw new MinictrError(`${what} is not JSON: ${(cause as Error).message}`, { cause })
  }
  if (!isObject(value)) throw new MinictrError(`${what} is not a JSON object`)
  return value
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function asList(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw new MinictrError(`${what} is ${show(value)}, not a list`)
  return value
}

function checkDescriptors(value: unknown, what: string): void {
  for (const [position, each] of asList(value, what).entries()) checkDescriptor(each, `${what}[${position}]`)
}

function checkDescriptor(value: unknown, what: string): void {
  if (typeof value !== 'object' || value === null)
    throw new MinictrError(`${what} is ${show(value)}, not a descriptor`)
  const { mediaType, digest, size } = value as Json
  if (typeof mediaType !== 'string')
    throw new MinictrError(`${what}: mediaType is ${show(mediaType)}, not a text`)
  if (typeof digest !== 'string') throw new MinictrError(`${what}: digest is ${show(digest)}, not a text`)
  assertDigest(digest)
  if (!Number.isSafeInteger(size) || (size as number) < 0) {
    throw new MinictrError(`${what}: size is ${show(size)}, not a number of bytes`)
  }
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value)?.slice(0, 60) ?? String(value))
}
