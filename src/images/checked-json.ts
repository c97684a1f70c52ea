// JSON that came from outside: read, and its parts checked before they are believed. `what` names it in errors.

import { MinictrError } from '../system/error.ts'

export type Json = Record<string, unknown>

/** The object in these bytes. Throws MinictrError where there is none. */
export function parseObject(bytes: Uint8Array, what: string): Json {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch (cause) {
    throw new MinictrError(`${what} is not JSON: ${(cause as Error).message}`, { cause })
  }
  if (!isObject(value)) throw new MinictrError(`${what} is not a JSON object`)
  return value
}

/** Whether it is an object, and neither a list nor null. */
export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value, if it is a list. Throws MinictrError else. */
export function asList(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw new MinictrError(`${what} is ${show(value)}, not a list`)
  return value
}

/** A value as messages show it. */
export function show(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value)?.slice(0, 60) ?? String(value))
}
