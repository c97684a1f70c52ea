// Trying again: which failures may pass by themselves, and how long to wait for that.

import { setTimeout as sleep } from 'node:timers/promises'
import { MinictrError } from '../system/error.ts'

const ATTEMPTS = 5
const FIRST_DELAY_MS = 500
/** Whoever is told to come back later than this is better told so at once. */
const LONGEST_WAIT_MS = 120_000

/** A failure that may pass: a broken connection, an overloaded server. */
export class TransientError extends MinictrError {
  /** How long the server asked to wait, if it did. */
  retryAfterMs: number | undefined

  constructor(message: string, details: { retryAfterMs?: number; remedy?: string; cause?: unknown } = {}) {
    super(message, details)
    this.retryAfterMs = details.retryAfterMs
  }
}

export type RetryOptions = {
  /** A number that has grown where an attempt has got further: then counting starts over. */
  progress?: () => number
  /** Told of each wait. */
  onRetry?: (error: TransientError, delayMs: number) => void
  signal?: AbortSignal
}

/**
 * Performs `action` until it succeeds, fails for good, or has failed transiently five times in a row without progress;
 * waits in between twice as long each time, or as long as the server asked. Throws the last failure, or the reason of the
 * signal.
 */
export async function retrying<T>(action: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { progress = () => 0, onRetry, signal } = options
  let attempt = 1
  for (let before = progress(); ; before = progress()) {
    try {
      signal?.throwIfAborted()
      return await action()
    } catch (error) {
      if (!(error instanceof TransientError)) throw error
      if (progress() > before) attempt = 1
      const delayMs = error.retryAfterMs ?? FIRST_DELAY_MS * 2 ** (attempt - 1) * (0.75 + Math.random() / 2)
      if (attempt === ATTEMPTS || delayMs > LONGEST_WAIT_MS) throw error
      attempt++
      onRetry?.(error, delayMs)
      // Aborted: the check above throws the reason.
      await sleep(delayMs, undefined, { signal }).catch(() => {})
    }
  }
}

/** What a Retry-After header (seconds, or a date) asks to wait from `nowMs`. Source: RFC 9110, section 10.2.3. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000
  const dateMs = Date.parse(header)
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs)
}

/** System errors of a connection that say nothing about the next attempt; a name or port that is not there does. */
const LASTING = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EACCES', 'EPROTO'])

/** Whether an error of a connection may pass by itself. */
export function isTransient(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return !LASTING.has(code) && !/CERT|SELF_SIGNED|UNABLE_TO|^ERR_SSL|^ERR_TLS|^ERR_INVALID/.test(code)
}
