// Proving who we are to a registry: what to send in answer to its challenge, Basic or a token for one scope.

import { text } from 'node:stream/consumers'
import { MinictrError } from '../system/error.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import type { Credentials } from './credentials.ts'
import { RegistryError } from './registry-error.ts'
import { isTransient, parseRetryAfter, TransientError } from './retry.ts'
import type { Transport } from './transport.ts'

/** A token server that names no lifetime means this (distribution spec, token authentication, "expires_in"). */
const DEFAULT_LIFETIME_S = 60
/** A token this near its end may die on the way. */
const MARGIN_MS = 10_000

type Token = { value: string; expiresAtMs: number }
type TokenAnswer = { token?: string; access_token?: string; expires_in?: number; refresh_token?: string }

/** Who we are to one registry: its challenge, the credentials for it, and the tokens got so far. */
export class Authorization {
  private readonly registry: string
  private readonly transport: Transport
  private readonly findCredentials: () => Promise<Credentials | undefined>
  /** Asked for once: a helper may be slow, or open a window. */
  private credentials: Promise<Credentials | undefined> | undefined
  private challenge: Challenge | undefined
  private isSecure = false
  private readonly tokens = new Map<string, Promise<Token>>()

  /** `registry` names it in errors; `credentials` is only asked when the registry wants to know. */
  constructor(registry: string, transport: Transport, credentials: () => Promise<Credentials | undefined>) {
    this.registry = registry
    this.transport = transport
    this.findCredentials = credentials
  }

  /**
   * Takes note of the WWW-Authenticate header of a 401, so that the next `header` answers it; tokens got before are
   * forgotten. `base` is where the registry answered. Throws MinictrError for a scheme that is neither Bearer nor Basic.
   */
  challenged(wwwAuthenticate: string | undefined, base: URL): void {
    const challenges = parseChallenges(wwwAuthenticate ?? '')
    const known =
      challenges.find(({ scheme }) => scheme === 'bearer') ??
      challenges.find(({ scheme }) => scheme === 'basic')
    if (!known) {
      throw new MinictrError(
        `Registry ${this.registry} asks for an unknown kind of login: "${wwwAuthenticate ?? ''}"`,
      )
    }
    this.challenge = known
    this.isSecure = base.protocol === 'https:'
    this.tokens.clear()
  }

  /**
   * The Authorization header to send for `scope` (`repository:NAME:pull`, or undefined for none), or undefined where none
   * is wanted or known. Source: distribution spec, token authentication ("docker-token") and RFC 7617 (Basic).
   */
  async header(scope: string | undefined): Promise<string | undefined> {
    if (!this.challenge) return undefined
    this.credentials ??= this.findCredentials()
    const credentials = await this.credentials
    if (credentials?.kind === 'registry-token') return `Bearer ${credentials.token}`
    if (this.challenge.scheme === 'basic')
      return credentials?.kind === 'password' ? basic(credentials) : undefined
    return `Bearer ${(await this.token(this.challenge, scope, credentials)).value}`
  }

  private async token(challenge: Challenge, scope: string | undefined, credentials: Credentials | undefined) {
    const key = scope ?? ''
    const known = this.tokens.get(key)
    if (known && (await known).expiresAtMs - MARGIN_MS > Date.now()) return known
    // Kept as a promise: layers that start at the same moment share one request.
    const fetched = this.fetchToken(challenge, scope, credentials)
    this.tokens.set(key, fetched)
    fetched.catch(() => this.tokens.delete(key))
    return fetched
  }

  private async fetchToken(
    { parameters }: Challenge,
    scope: string | undefined,
    credentials: Credentials | undefined,
  ) {
    const realm = parameters.realm ?? ''
    if (!URL.canParse(realm)) {
      throw new MinictrError(`Registry ${this.registry} names no token server: realm is "${realm}"`)
    }
    // Whoever can listen in would have the password, although its owner chose a registry where nobody can.
    if (credentials && this.isSecure && new URL(realm).protocol !== 'https:') {
      throw new MinictrError(
        `Registry ${this.registry} is spoken to over https but names a token server without it, ${realm}: your credentials are not sent there`,
        {
          remedy: `Ask its operator for an https token server, or pull without them: minictr logout ${this.registry}`,
        },
      )
    }
    const query = new URLSearchParams({
      ...(parameters.service !== undefined && { service: parameters.service }),
      ...(scope !== undefined && { scope }),
    })
    const sentAtMs = Date.now()
    const answer = await this.askTokenServer(new URL(realm), query, credentials)
    const value = answer.token ?? answer.access_token
    if (!value) throw new MinictrError(`The token server ${realm} of registry ${this.registry} sent no token`)
    return { value, expiresAtMs: sentAtMs + Math.max(answer.expires_in ?? 0, DEFAULT_LIFETIME_S) * 1000 }
  }

  private async askTokenServer(realm: URL, query: URLSearchParams, credentials: Credentials | undefined) {
    if (credentials?.kind === 'identity-token') {
      query.set('grant_type', 'refresh_token')
      query.set('client_id', 'minictr')
      query.set('refresh_token', credentials.token)
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      return this.request(realm, { method: 'POST', headers, body: query.toString() })
    }
    for (const [name, value] of query) realm.searchParams.append(name, value)
    if (credentials?.kind !== 'password') return this.request(realm, {})
    realm.searchParams.set('account', credentials.username)
    return this.request(realm, { headers: { authorization: basic(credentials) } })
  }

  private async request(url: URL, request: Parameters<Transport['send']>[1]): Promise<TokenAnswer> {
    const where = `The token server ${url.origin}${url.pathname} of registry ${this.registry}`
    try {
      const response = await this.transport.send(url, request)
      const body = await text(response)
      const status = response.statusCode ?? 0
      if (status === 200) return JSON.parse(body) as TokenAnswer
      const message = `${where} answered ${status}: ${body.trim().slice(0, 200)}`
      if (status === 429 || status >= 500) {
        throw new TransientError(message, {
          retryAfterMs: parseRetryAfter(response.headers['retry-after'], Date.now()),
        })
      }
      throw new RegistryError(message, {
        status,
        remedy: `Check user name and password: minictr login ${this.registry}`,
      })
    } catch (error) {
      if (error instanceof MinictrError) throw error
      const kind = isTransient(error) ? TransientError : MinictrError
      throw new kind(`${where} does not answer: ${(error as Error).message}`, { cause: error })
    }
  }
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
