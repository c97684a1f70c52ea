// The distribution protocol from the other side: a small registry that serves a store's images and takes none.

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { MinictrError } from '../system/error.ts'
import type { Descriptor } from './manifest.ts'
import { parseReference } from './reference.ts'
import type { ImageStore } from './store.ts'

const READ_SIZE_BYTES = 256 * 1024
const OFFICIAL_FOLDER = 'library/'

export type RunningRegistry = {
  /** `127.0.0.1:5000`. */
  address: string
  /** Takes no new requests and resolves when those under way are answered. */
  close(): Promise<void>
  /** Breaks off requests under way, for who does not want to wait. */
  abort(): void
}

/**
 * Serves the images of a store, read-only, at `host:port` (port 0: any free one). What is pulled into the store meanwhile
 * is served too. Throws MinictrError where it cannot listen.
 * Source: OCI distribution spec, "Endpoints"; the images of docker.io's library are found with and without `library/`.
 */
export async function serveImages(store: ImageStore, host: string, port: number): Promise<RunningRegistry> {
  const server = createServer((request, response) => {
    response.setHeader('docker-distribution-api-version', 'registry/2.0')
    // While closing, a connection whose last answer is out must not wait for a next request.
    response.once('close', () => server.listening || setImmediate(() => server.closeIdleConnections()))
    answer(store, request, response).catch(error => {
      // Too late for another status: the client must see that the body is not whole.
      if (response.headersSent) response.destroy(error)
      else
        sendError(
          response,
          error instanceof RequestError ? error : new RequestError(500, 'UNKNOWN', String(error)),
        )
    })
  })
  await listen(server, host, port)
  const bound = server.address() as { address: string; port: number; family: string }
  return {
    address: bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
    abort: () => server.closeAllConnections(),
  }
}

/** What the images of a store are called at this registry: `debian:trixie`, `folder/name:tag`. */
export function servedNames(store: ImageStore): string[] {
  return servedImages(store).flatMap(({ repositories, tag }) => (tag ? [`${repositories[0]}:${tag}`] : []))
}

/** An error in the distribution spec's form. */
class RequestError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

type ServedImage = { repositories: string[]; tag: string | undefined; manifest: Descriptor }

async function answer(store: ImageStore, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new RequestError(405, 'UNSUPPORTED', 'this registry is read-only')
  }
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://registry')
  if (pathname === '/v2/' || pathname === '/v2') return sendJson(response, request, {})
  const [, name, kind, last] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(pathname) ?? []
  if (name === undefined || last === undefined) throw new RequestError(404, 'NAME_UNKNOWN', 'no such page')
  const images = servedImages(store).filter(({ repositories }) => repositories.includes(name))
  if (images.length === 0) throw new RequestError(404, 'NAME_UNKNOWN', `no repository ${name} here`)
  if (kind === 'tags') return sendTags(response, request, name, images, last, searchParams)
  if (kind === 'manifests') return sendManifest(store, response, request, images, decodeURIComponent(last))
  return sendBlob(store, response, request, decodeURIComponent(last))
}

function servedImages(store: ImageStore): ServedImage[] {
  const images = store.list().flatMap(({ name, manifest }) => {
    if (name === undefined) return []
    const { domain, path, tag } = parseReference(name)
    const short =
      domain === 'docker.io' && path.startsWith(OFFICIAL_FOLDER) ? [path.slice(OFFICIAL_FOLDER.length)] : []
    return [{ repositories: [...short, path], tag, manifest, isDockerHub: domain === 'docker.io' }]
  })
  // Where registries differ in name alone, docker.io's image wins: that is what a name without a registry means.
  return images.sort((a, b) => Number(b.isDockerHub) - Number(a.isDockerHub))
}

/** Source: distribution spec, "Listing Tags": in lexical order, `n` of them after `last`, with a link to the next. */
function sendTags(
  response: ServerResponse,
  request: IncomingMessage,
  name: string,
  images: ServedImage[],
  page: string,
  query: URLSearchParams,
): void {
  if (page !== 'list') throw new RequestError(404, 'NAME_UNKNOWN', 'no such page')
  const after = query.get('last') ?? ''
  const all = [...new Set(images.flatMap(({ tag }) => tag ?? []))].sort().filter(tag => tag > after)
  const limit = /^\d+$/.test(query.get('n') ?? '') ? Number(query.get('n')) : all.length
  const tags = all.slice(0, limit)
  if (tags.length < all.length && tags.length > 0) {
    response.setHeader('link', `</v2/${name}/tags/list?n=${limit}&last=${tags.at(-1)}>; rel="next"`)
  }
  sendJson(response, request, { name, tags })
}

function sendManifest(
  store: ImageStore,
  response: ServerResponse,
  request: IncomingMessage,
  images: ServedImage[],
  reference: string,
): void {
  const found = images.find(({ tag, manifest }) => tag === reference || manifest.digest === reference)
  if (!found) throw new RequestError(404, 'MANIFEST_UNKNOWN', `no manifest ${reference} here`)
  const bytes = store.readBlob(found.manifest.digest)
  response.setHeader('docker-content-digest', found.manifest.digest)
  send(response, request, found.manifest.mediaType, bytes)
}

async function sendBlob(
  store: ImageStore,
  response: ServerResponse,
  request: IncomingMessage,
  digest: string,
) {
  const path = blobPath(store, digest)
  const size = (await stat(path).catch(() => undefined))?.size
  if (size === undefined) throw new RequestError(404, 'BLOB_UNKNOWN', `no blob ${digest} here`)
  response.setHeader('content-type', 'application/octet-stream')
  response.setHeader('docker-content-digest', digest)
  response.setHeader('accept-ranges', 'bytes')
  const range = parseRange(request.headers.range, size)
  if (range === 'unsatisfiable') {
    response.setHeader('content-range', `bytes */${size}`)
    throw new RequestError(416, 'SIZE_INVALID', `the blob has ${size} bytes`)
  }
  const { start, end } = range ?? { start: 0, end: size - 1 }
  if (range) response.setHeader('content-range', `bytes ${start}-${end}/${size}`)
  response.setHeader('content-length', end - start + 1)
  response.writeHead(range ? 206 : 200)
  if (request.method === 'HEAD' || size === 0) return void response.end()
  await pipeline(createReadStream(path, { start, end, highWaterMark: READ_SIZE_BYTES }), response)
}

/**
 * The bytes a Range header asks for, both ends included; undefined where all are to be sent, as for several ranges at once
 * and for what is no range of bytes. Source: RFC 9110, sections 14.1.2 and 14.2.
 */
export function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const count = Math.min(Number(last), size)
    return count === 0 ? 'unsatisfiable' : { start: size - count, end: size - 1 }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return undefined
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}

function blobPath(store: ImageStore, digest: string): string {
  try {
    return store.blobPath(digest)
  } catch (error) {
    throw new RequestError(400, 'DIGEST_INVALID', (error as Error).message)
  }
}

function sendJson(response: ServerResponse, request: IncomingMessage, value: object): void {
  send(response, request, 'application/json', Buffer.from(JSON.stringify(value)))
}

/** Source: distribution spec, "Error Codes". */
function sendError(response: ServerResponse, { status, code, message }: RequestError): void {
  const body = Buffer.from(JSON.stringify({ errors: [{ code, message }] }))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
  // HEAD: Node itself leaves the body away.
  response.end(body)
}

function send(response: ServerResponse, request: IncomingMessage, type: string, body: Buffer): void {
  response.writeHead(200, { 'content-type': type, 'content-length': body.length })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const remedy =
        cause.code === 'EADDRINUSE'
          ? 'Something else listens there: choose another with --listen, or port 0 for any.'
          : undefined
      reject(new MinictrError(`Cannot listen on ${host}:${port}: ${cause.message}`, { remedy, cause }))
    })
    server.listen(port, host)
  })
}
