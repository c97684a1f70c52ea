// What an image is made of, as JSON: its manifest, and the index of several, checked before they are believed.

import { MinictrError } from '../system/error.ts'
import { asList, type Json, parseObject, show } from './checked-json.ts'
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
