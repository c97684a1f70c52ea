// One HTTP request, made on the right connection: through the proxy it needs, trusting whom it should.

import { type Agent, type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { type Configuration, certificatesFor, isInsecure } from './configuration.ts'
import { proxyFor } from './proxy.ts'

/** A connection on which nothing moves for so long is taken for broken. */
const IDLE_TIMEOUT_MS = 60_000

export type HttpRequest = {
  method?: 'GET' | 'HEAD' | 'POST'
  headers?: Record<string, string>
  body?: string
}

/** Sends requests, keeping connections for the next ones. */
export class Transport {
  private readonly configuration: Configuration
  private readonly agents = new Map<string, Promise<Agent>>()

  constructor(configuration: Configuration) {
    this.configuration = configuration
  }

  /**
   * Sends one request and resolves with the answer as soon as its header is there, whatever its status; redirects are the
   * caller's. The body must be read or destroyed. Rejects with the system's error where no answer comes.
   */
  async send(url: URL, { method = 'GET', headers = {}, body }: HttpRequest = {}): Promise<IncomingMessage> {
    const agent = await this.agentFor(url)
    return new Promise((resolve, reject) => {
      const send = url.protocol === 'https:' ? https().request : plainRequest
      const request = send(url, {
        method,
        agent,
        timeout: IDLE_TIMEOUT_MS,
        // A blob's digest is over the bytes as stored: no encoding on the way.
        headers: { 'user-agent': 'minictr', 'accept-encoding': 'identity', ...headers },
      })
      request.on('response', resolve)
      request.on('error', reject)
      request.on('timeout', () => request.destroy(new Error(`no data for ${IDLE_TIMEOUT_MS / 1000} s`)))
      request.end(body)
    })
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    for (const agent of this.agents.values()) (await agent).destroy()
    this.agents.clear()
  }

  private agentFor(url: URL): Promise<Agent> {
    const proxy = proxyFor(url, process.env)
    const key = `${url.origin} ${proxy ?? ''}`
    const known = this.agents.get(key)
    if (known) return known
    const agent = this.makeAgent(url, proxy)
    this.agents.set(key, agent)
    return agent
  }

  private async makeAgent(url: URL, proxy: string | undefined): Promise<Agent> {
    // Which hosts need no proxy has been decided by Docker's rules, so the agent is told of this one alone.
    const options = { keepAlive: true, proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }
    if (url.protocol === 'http:') return new PlainAgent(options)
    const { createSecureContext, getCACertificates } = process.getBuiltinModule('node:tls')
    const own = certificatesFor(url.host, this.configuration)
    // Both lists hold much the same, and each certificate costs time.
    const ca = [...new Set([...getCACertificates('default'), ...getCACertificates('system'), ...own])]
    const rejectUnauthorized = !(await isInsecure(url.host, this.configuration))
    return new (https().Agent)({ ...options, rejectUnauthorized, secureContext: createSecureContext({ ca }) })
  }
}

/** Loaded where it is needed: it costs milliseconds that a registry of this machine's does not. */
function https() {
  return process.getBuiltinModule('node:https')
}
