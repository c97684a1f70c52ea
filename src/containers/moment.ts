// Moments to the nanosecond, as Docker's files and flags have them. JavaScript's Date knows milliseconds only.

import { MinictrError } from '../system/error.ts'

const NS_PER_SECOND = 1_000_000_000n
const DURATION_NS: Record<string, number> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}
/** Year 1 and year 10000 as RFC 3339 has them: seconds from 1970. */
const EARLIEST_SECONDS = -62_135_596_800n
const LATEST_SECONDS = 253_402_300_799n

/**
 * Reads a moment of a command line in nanoseconds since 1970: how long ago (`10m`, `1h30m`, `1.5h`), a date with or without
 * time and zone (without: this host's), or seconds since 1970. `name` is the flag's. Throws MinictrError. Source: moby,
 * api/types/time/timestamp.go; Go, time.ParseDuration.
 */
export function parseMoment(text: string, name: string, nowMs: number): bigint {
  // A duration to Go, but a time to Docker.
  const durationNs = text === '0' ? undefined : parseDuration(text)
  if (durationNs !== undefined) return BigInt(nowMs) * 1_000_000n - durationNs
  const seconds = /^(-?\d+)(?:\.(\d{1,9}))?$/.exec(text)
  if (seconds) {
    const fraction = BigInt((seconds[2] ?? '').padEnd(9, '0'))
    return BigInt(seconds[1]!) * NS_PER_SECOND + fraction
  }
  const moment = parseDate(text)
  if (moment !== undefined) return moment
  throw new MinictrError(
    `invalid value for "${name}": failed to parse value as time or duration: "${text}"`,
    {
      remedy:
        'Give a time such as 2026-11-21T09:30:00Z, seconds since 1970, or how long ago it was: 10m, 1h30m.',
    },
  )
}

/** RFC 3339 in UTC with nine digits of a fraction: as text in the order of time. */
export function formatMoment(ns: bigint): string {
  let seconds = ns / NS_PER_SECOND
  let fraction = ns % NS_PER_SECOND
  if (fraction < 0n) {
    seconds -= 1n
    fraction += NS_PER_SECOND
  }
  if (seconds < EARLIEST_SECONDS) [seconds, fraction] = [EARLIEST_SECONDS, 0n]
  if (seconds > LATEST_SECONDS) [seconds, fraction] = [LATEST_SECONDS, NS_PER_SECOND - 1n]
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return `${date}.${String(fraction).padStart(9, '0')}Z`
}

/** The same for a moment of RFC 3339 in any zone; undefined for what is none. */
export function normaliseMoment(text: string): string | undefined {
  const moment = parseDate(text)
  return moment === undefined ? undefined : formatMoment(moment)
}

/** Go's durations, in nanoseconds: `1h30m`, `-1.5s`; undefined for what is none. */
export function parseDuration(text: string): bigint | undefined {
  const match = /^([+-]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.exec(text)
  if (!match) return text === '0' ? 0n : undefined
  let sum = 0
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g))
    sum += Number(count) * DURATION_NS[unit!]!
  return BigInt(Math.round(match[1] === '-' ? -sum : sum))
}

/** As Go writes a duration: `1m30s`, `1.5s`, `100ms`. Source: Go, time.Duration.String. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`
  const [minutes, seconds] = [Math.trunc(ms / 60_000), (ms % 60_000) / 1000]
  const hours = Math.trunc(minutes / 60)
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes % 60}m` : ''}${seconds}s`
}

function parseDate(text: string): bigint | undefined {
  const match =
    /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text)
  if (!match) return undefined
  const [, date, hour = '00', minute = '00', second = '00', fraction = '', zone = ''] = match
  // With a time and without a zone Date takes this host's.
  const ms = Date.parse(`${date}T${hour}:${minute}:${second}${zone}`)
  if (Number.isNaN(ms)) return undefined
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}
