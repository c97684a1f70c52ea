// Numbers as people read them, in Docker's words.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** A size in powers of 1000 with three significant digits: `124MB`. Source: github.com/docker/go-units, HumanSize. */
export function humanSize(bytes: number): string {
  let value = bytes
  let unit = 0
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000
  return `${Number(value.toPrecision(3))}${UNITS[unit]}`
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
