// Numbers as people read them, in Docker's words.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/**
 * A size in powers of 1000: `124MB`; Docker shows three significant digits of a thing, and four of a sum. Source:
 * github.com/docker/go-units, HumanSizeWithPrecision.
 */
export function humanSize(bytes: number, digits: 3 | 4 = 3): string {
  return inUnits(bytes, 1000, UNITS, digits)
}

/** A size in powers of 1024, for memory: `23.54GiB`. Source: the same, BytesSize. */
export function humanMemory(bytes: number): string {
  return inUnits(bytes, 1024, BINARY_UNITS, 4)
}

function inUnits(bytes: number, step: number, units: string[], digits: number): string {
  let value = bytes
  let unit = 0
  for (; value >= step && unit < units.length - 1; unit++) value /= step
  return `${Number(value.toPrecision(digits))}${units[unit]}`
}

/** A moment as Go prints it, in UTC: `2026-11-21 09:30:00 +0000 UTC`. */
export function goTime(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`
}

const MINUTES_PER_HOUR = 60
const HOURS_PER_DAY = 24
const DAYS_PER_WEEK = 7
const DAYS_PER_MONTH = 30
const DAYS_PER_YEAR = 365

/** A length of time: `3 hours`, `About a minute`. Source: github.com/docker/go-units, HumanDuration. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  if (seconds < 1) return 'Less than a second'
  if (seconds < 60) return seconds === 1 ? '1 second' : `${seconds} seconds`
  const minutes = Math.floor(seconds / 60)
  if (minutes < MINUTES_PER_HOUR) return minutes === 1 ? 'About a minute' : `${minutes} minutes`
  const hours = Math.round(seconds / 3600)
  if (hours < 2 * HOURS_PER_DAY) return hours === 1 ? 'About an hour' : `${hours} hours`
  const days = Math.floor(hours / HOURS_PER_DAY)
  if (days < 2 * DAYS_PER_WEEK) return `${days} days`
  if (days < 2 * DAYS_PER_MONTH) return `${Math.floor(days / DAYS_PER_WEEK)} weeks`
  if (days < 2 * DAYS_PER_YEAR) return `${Math.floor(days / DAYS_PER_MONTH)} months`
  return `${Math.floor(days / DAYS_PER_YEAR)} years`
}
