// One repository of a registry, as something to read: manifests, blobs and tags, from mirrors where there are some.

import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { MinictrError } from '../system/error.ts'
import type { Configuration } from './configuration.ts'
import { type Descriptor, MEDIA_TYPES } from './manifest.ts'
import { familiarName, type Reference } from './reference.ts'
import { type Registry, registriesFor } from './registry.ts'
import { connectionError, RegistryError } from './registry-error.ts'
import { retrying, type TransientError } from './retry.ts'
import type { Transport } from './transport.ts'

/** Docker's limit: no honest manifest is larger. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024

const MANIFEST_TYPES = [
  MEDIA_TYPES.ociIndex,
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.dockerIndex,
  MEDIA_TYPES.dockerManifest,
] as string[]

/** The descriptor's media type is empty where the registry did not say. */
export type FetchedManifest = { bytes: Buffer; descriptor: Descriptor }

/** Bytes of a blob from `startBytes` on. */
export type BlobBody = { stream: IncomingMessage; startBytes: number; registry: string }

/** One repository of a registry, asked for manifests, blobs and tags; of its mirrors first. */
export class Repository {
  readonly reference: Reference
  private readonly registries: Registry[]
  private readonly scope: string
  /** Told before a request is sent again. */
  onRetry: ((error: TransientError, delayMs: number) => void) | undefined

  constructor(reference: Reference, configuration: Configuration, transport: Transport) {
    this.reference = reference
    this.registries = registriesFor(reference.domain, configuration, transport)
    this.scope = `repository:${reference.path}:pull`
  }

  /**
   * Fetches the manifest or index under a tag or digest. By digest its bytes are verified; by tag they define the digest,
   * which must agree with the registry's Docker-Content-Digest. Throws MinictrError.
   * Source: distribution spec, "Pulling manifests".
   */
  async manifest(tagOrDigest: string): Promise<FetchedManifest> {
    return retrying(() => this.fromFirst(registry => this.fetchManifest(registry, tagOrDigest)), {
      onRetry: this.onRetry,
    })
  }

  /** Fetches a small blob (an image configuration) whole and verified. Throws MinictrError. */
  async smallBlob(descriptor: Descriptor): Promise<Buffer> {
    const fetch = (registry: Registry) => this.fetchSmallBlob(registry, descriptor)
    return retrying(() => this.fromFirst(fetch), { onRetry: this.onRetry })
  }

  /**
   * Opens a blob from a byte on; a registry that ignores the range answers from 0 (see `startBytes`). One attempt:
   * throws TransientError where another may help. Source: distribution spec, "Pulling blobs"; RFC 9110, section 14.
   */
  async openBlob(digest: string, startBytes: number): Promise<BlobBody> {
    return this.fromFirst(async registry => {
      const headers = startBytes > 0 ? { range: `bytes=${startBytes}-` } : undefined
      const stream = await registry.request(`${this.reference.path}/blobs/${digest}`, {
        scope: this.scope,
        headers,
      })
      const start = stream.statusCode === 206 ? rangeStart(stream.headers['content-range']) : 0
      if (start === 0 || start === startBytes) return { stream, startBytes: start, registry: registry.name }
      stream.destroy()
      throw new MinictrError(
        `Registry ${registry.name} answered bytes from ${start} of blob ${digest}, not from ${startBytes}`,
      )
    })
  }

  /** All tags in lexical order, following the pages. Source: distribution spec, "Listing Tags". */
  async tags(): Promise<string[]> {
    const list = async (registry: Registry): Promise<string[]> => {
      const tags: string[] = []
      for (let path: string | undefined = `${this.reference.path}/tags/list`; path !== undefined; ) {
        const response: IncomingMessage = await registry.request(path, { scope: this.scope })
        const page = JSON.parse((await readAll(response, MAX_MANIFEST_BYTES)).toString()) as {
          tags?: string[] | null
        }
        tags.push(...(page.tags ?? []))
        path = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(response.headers.link ?? ''))?.[1]
      }
      return tags.sort()
    }
    return retrying(() => this.fromFirst(list), { onRetry: this.onRetry })
  }

  /** Asks the registries in their order; what the last one says is what is thrown. */
  private async fromFirst<T>(action: (registry: Registry) => Promise<T>): Promise<T> {
    const [last, ...mirrors] = this.registries.toReversed()
    for (const mirror of mirrors.reverse()) {
      try {
        return await action(mirror)
      } catch (error) {
        if (!(error instanceof MinictrError)) throw error
      }
    }
    return action(last!)
  }

  private async fetchManifest(registry: Registry, tagOrDigest: string): Promise<FetchedManifest> {
    const { response, bytes } = await this.readManifest(registry, tagOrDigest)
    const isDigest = tagOrDigest.includes(':')
    const algorithm = isDigest ? tagOrDigest.split(':')[0]! : 'sha256'
    const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
    const expected = isDigest ? tagOrDigest : response.headers['docker-content-digest']
    if (expected !== undefined && expected !== digest && String(expected).startsWith(`${algorithm}:`)) {
      throw new MinictrError(
        `Registry ${registry.name}: the manifest ${this.reference.path}@${tagOrDigest} is damaged: expected ${expected}, got ${digest}`,
      )
    }
    const announced = (response.headers['content-type'] ?? '').split(';')[0]!.trim()
    // Careless registries say application/json; what the manifest is stands in itself then.
    const mediaType = MANIFEST_TYPES.includes(announced) ? announced : ''
    return { bytes, descriptor: { mediaType, digest, size: bytes.length } }
  }

  private async readManifest(registry: Registry, tagOrDigest: string) {
    const path = `${this.reference.path}/manifests/${tagOrDigest}`
    try {
      const response = await registry.request(path, {
        scope: this.scope,
        headers: { accept: MANIFEST_TYPES.join(', ') },
      })
      return { response, bytes: await readBody(registry, response, MAX_MANIFEST_BYTES) }
    } catch (error) {
      throw error instanceof RegistryError ? this.explain(error) : error
    }
  }

  private async fetchSmallBlob(registry: Registry, { digest, size }: Descriptor): Promise<Buffer> {
    if (size > MAX_MANIFEST_BYTES)
      throw new MinictrError(`The image configuration ${digest} claims to have ${size} bytes`)
    const response = await registry.request(`${this.reference.path}/blobs/${digest}`, { scope: this.scope })
    const bytes = await readBody(registry, response, size)
    const [algorithm] = digest.split(':')
    const got = `${algorithm}:${createHash(algorithm!).update(bytes).digest('hex')}`
    if (got === digest && bytes.length === size) return bytes
    throw new MinictrError(
      `Registry ${registry.name}: blob ${digest} is damaged: expected ${size} bytes with that digest, got ${bytes.length} with ${got}`,
    )
  }

  private explain(error: RegistryError): MinictrError {
    const name = familiarName(this.reference)
    if (error.status === 404) {
      return new MinictrError(`There is no image ${name} at the registry. ${error.message}`, {
        remedy: 'Check name and tag; a name without a tag means :latest.',
        cause: error,
      })
    }
    if (error.status !== 401 && error.status !== 403) return error
    const message = `Access to ${name} is denied, or there is no such repository. ${error.message}`
    return new MinictrError(message, { remedy: error.remedy, cause: error })
  }
}

async function readBody(registry: Registry, response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  try {
    return await readAll(response, maxBytes)
  } catch (error) {
    throw connectionError(registry.name, await registry.ping(), error)
  }
}

async function readAll(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes)
      throw new MinictrError(`The answer of the registry is longer than ${maxBytes} bytes`)
  }
  return Buffer.concat(chunks)
}

/** The first byte of `bytes 100-199/200`. */
function rangeStart(header: string | undefined): number {
  return Number(/^bytes (\d+)-/.exec(header ?? '')?.[1] ?? Number.NaN)
}
