// A registry as a client sees it: finding how it is spoken to, and one authorised request at a time.

import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { MinictrError } from '../system/error.ts'
import { Authorization } from './authorization.ts'
import { type Configuration, isInsecure, isLoopback } from './configuration.ts'
import { type Credentials, findCredentials } from './credentials.ts'
import { connectionError, parseError, RegistryError } from './registry-error.ts'
import { parseRetryAfter, TransientError } from './retry.ts'
import type { HttpRequest, Transport } from './transport.ts'

/** Docker Hub's name in references is not the host its registry runs on. */
const DOCKER_HUB_HOST = 'registry-1.docker.io'
const MAX_REDIRECTS = 10
const REDIRECTS = new Set([301, 302, 303, 307, 308])

export type RegistryRequest = HttpRequest & {
  /** What the token must allow: `repository:NAME:pull`. */
  scope?: string
}

/** What came back, and whether another host than the registry's sent it. */
type Answer = { response: IncomingMessage; isForeign: boolean }

/** Speaks the registry protocol, for whoever the credentials belong to. */
export class Registry {
  /** As people name it: `docker.io`, `localhost:5000`; for a mirror its URL. */
  readonly name: string
  private readonly candidates: () => Promise<string[]>
  private readonly transport: Transport
  private readonly authorization: Authorization
  private base: Promise<URL> | undefined

  /** Talks to the registry at the first of the base URLs that answers. */
  constructor(
    name: string,
    candidates: () => Promise<string[]>,
    transport: Transport,
    credentials: () => Promise<Credentials | undefined>,
  ) {
    this.name = name
    this.candidates = candidates
    this.transport = transport
    this.authorization = new Authorization(name, transport, credentials)
  }

  /**
   * Finds out where and how the registry answers, once. Throws MinictrError where it does not.
   * Source: distribution spec, "Determining Support" (GET /v2/).
   */
  ping(): Promise<URL> {
    this.base ??= this.findBase().catch(error => {
      this.base = undefined
      throw error
    })
    return this.base
  }

  /** Asks for the proof of identity `login` needs: throws RegistryError (401) where credentials do not do. */
  async checkLogin(): Promise<void> {
    ;(await this.request('', {})).resume()
  }

  /**
   * Sends a request to /v2/PATH and resolves with the answer once it is a success (2xx). Redirects are followed, an
   * expired token is replaced. Throws TransientError for what may pass (broken connection, 429, 5xx), RegistryError for
   * any other status, MinictrError where the registry cannot be reached.
   */
  async request(path: string, { scope, ...request }: RegistryRequest): Promise<IncomingMessage> {
    const base = await this.ping()
    const url = new URL(path, base)
    // A registry names the next page of a list by itself, and must not send our identity elsewhere by that.
    if (url.origin !== base.origin) throw new MinictrError(`Registry ${this.name} points to ${url.href}`)
    let { response, isForeign } = await this.sendAuthorised(url, request, scope)
    // Only the registry itself may ask who we are: a host it redirected to would name a token server of its own.
    if (response.statusCode === 401 && !isForeign) {
      this.authorization.challenged(response.headers['www-authenticate'], base)
      response.resume()
      ;({ response } = await this.sendAuthorised(url, request, scope))
    }
    const status = response.statusCode ?? 0
    if (status >= 200 && status < 300) return response
    throw await this.failure(`${request.method ?? 'GET'} ${url.href}`, response)
  }

  private async sendAuthorised(url: URL, request: HttpRequest, scope: string | undefined): Promise<Answer> {
    const authorization = await this.authorization.header(scope)
    const headers = { ...request.headers, ...(authorization && { authorization }) }
    return this.follow(url, { ...request, headers })
  }

  /** Follows redirects by hand: what proves our identity goes to no other host than the one it was meant for. */
  private async follow(start: URL, request: HttpRequest): Promise<Answer> {
    let url = start
    let isForeign = false
    let headers = request.headers
    for (let redirects = 0; ; redirects++) {
      const response = await this.send(url, { ...request, headers })
      const location = response.headers.location
      if (!REDIRECTS.has(response.statusCode ?? 0) || location === undefined) return { response, isForeign }
      response.resume()
      const next = new URL(location, url)
      if (redirects === MAX_REDIRECTS)
        throw new MinictrError(`${start.href} redirects more than ${MAX_REDIRECTS} times`)
      if (!/^https?:$/.test(next.protocol) || (url.protocol === 'https:' && next.protocol === 'http:')) {
        throw new MinictrError(`${url.href} redirects to ${next.href}, away from https`)
      }
      if (next.origin !== url.origin) {
        isForeign = true
        headers = withoutAuthorization(headers)
      }
      url = next
    }
  }

  private async send(url: URL, request: HttpRequest): Promise<IncomingMessage> {
    try {
      return await this.transport.send(url, request)
    } catch (error) {
      throw connectionError(this.name, url, error)
    }
  }

  private async findBase(): Promise<URL> {
    const failures: unknown[] = []
    for (const candidate of await this.candidates()) {
      const url = new URL('/v2/', candidate)
      try {
        if (await this.answersAt(url)) return url
      } catch (error) {
        failures.push(error)
      }
    }
    const errors = failures as MinictrError[]
    const decisive = errors.find(error => error instanceof TransientError) ?? errors[0]!
    if (errors.length === 1 || decisive instanceof TransientError) throw decisive
    throw new MinictrError(errors.map(error => error.message).join('; '), {
      remedy: decisive.remedy,
      cause: decisive,
    })
  }

  /** Whether the registry protocol is spoken there; notes the challenge. */
  private async answersAt(url: URL): Promise<boolean> {
    const response = await this.send(url, {})
    const status = response.statusCode ?? 0
    if (status === 401) this.authorization.challenged(response.headers['www-authenticate'], url)
    if (status === 200 || status === 401) {
      response.resume()
      return true
    }
    throw await this.failure(`GET ${url.href}`, response)
  }

  private async failure(request: string, response: IncomingMessage): Promise<MinictrError> {
    const status = response.statusCode ?? 0
    const body = await text(response).catch(() => '')
    const { code, message } = parseError(body)
    const sentence = `Registry ${this.name} answered ${status} to ${request}${message && `: ${message}`}`
    if (status === 429 || status >= 500) {
      const retryAfterMs = parseRetryAfter(response.headers['retry-after'], Date.now())
      return new TransientError(sentence, {
        retryAfterMs,
        remedy: status === 429 ? 'Wait, or log in: registries limit what anonymous users pull.' : undefined,
      })
    }
    const remedy = status === 401 || status === 403 ? `Log in: minictr login ${this.name}` : undefined
    return new RegistryError(sentence, { status, code, remedy })
  }
}

/**
 * The registries that may serve images of `domain`, to be asked in this order: mirrors first where it is docker.io.
 * Each is asked with its own credentials only.
 */
export function registriesFor(
  domain: string,
  configuration: Configuration,
  transport: Transport,
): Registry[] {
  const mirrors = domain === 'docker.io' ? configuration.registryMirrors : []
  return [
    ...mirrors.map(
      url =>
        new Registry(
          url,
          async () => [url],
          transport,
          () => findCredentials(new URL(url).host),
        ),
    ),
    openRegistry(domain, configuration, transport),
  ]
}

/** The registry of this name itself; `credentials` are the stored ones unless given. */
export function openRegistry(
  domain: string,
  configuration: Configuration,
  transport: Transport,
  credentials: () => Promise<Credentials | undefined> = () => findCredentials(domain),
): Registry {
  return new Registry(domain, () => baseUrls(domain, configuration), transport, credentials)
}

/**
 * Where a registry may be reached. Plain HTTP is only tried where the configuration allows it or where the bytes never
 * leave this machine; there it goes first, since hardly anyone has certificates for loopback.
 */
async function baseUrls(domain: string, configuration: Configuration): Promise<string[]> {
  const host = domain === 'docker.io' ? DOCKER_HUB_HOST : domain
  if (isLoopback(host)) return [`http://${host}`, `https://${host}`]
  return (await isInsecure(host, configuration)) ? [`https://${host}`, `http://${host}`] : [`https://${host}`]
}

function withoutAuthorization(headers: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'),
  )
}
