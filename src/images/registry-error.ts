// What goes wrong with a registry, in words: its refusals, and connections that fail.

import { MinictrError } from '../system/error.ts'
import { isTransient, TransientError } from './retry.ts'

/** A registry answered a request with an error. */
export class RegistryError extends MinictrError {
  readonly status: number
  /** The code of the distribution spec, `MANIFEST_UNKNOWN`, where there is one. */
  readonly code: string | undefined

  constructor(message: string, details: { status: number; code?: string; remedy?: string }) {
    super(message, details)
    this.status = details.status
    this.code = details.code
  }
}

/** The first error of a registry's answer. Source: distribution spec, "Error Codes". */
export function parseError(body: string): { code?: string; message: string } {
  try {
    const { errors } = JSON.parse(body) as { errors?: { code?: string; message?: string }[] }
    const { code, message } = errors?.[0] ?? {}
    return { code, message: [message ?? code ?? ''].join() }
  } catch {
    return { message: body.trim().split('\n', 1)[0]!.slice(0, 200) }
  }
}

/** A failed connection as an error for people; `what` was being done with the registry. */
export function connectionError(registry: string, url: URL, error: unknown): MinictrError {
  if (error instanceof MinictrError) return error
  const { message, code } = error as NodeJS.ErrnoException
  const sentence = `Registry ${registry} does not answer at ${url.origin}: ${message || code}`
  if (isTransient(error)) return new TransientError(sentence, { cause: error })
  return new MinictrError(sentence, { cause: error, remedy: remedyFor(code ?? '', registry, url) })
}

function remedyFor(code: string, registry: string, url: URL): string | undefined {
  if (code === 'ENOTFOUND') return `Check the name and the DNS of this machine: getent hosts ${url.hostname}`
  if (code === 'ECONNREFUSED') return 'Check the port, and that the registry runs.'
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(code)) {
    return `Put the authority’s certificate into certs.d/${registry}/ca.crt beside the configuration file (/etc/minictr/config.json).`
  }
  if (/EPROTO|SSL/.test(code))
    return `If it speaks plain HTTP, add "${registry}" to insecure-registries in the configuration file.`
  return undefined
}
