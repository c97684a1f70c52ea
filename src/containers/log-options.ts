// Where a container's output is kept: `--log-driver` and `--log-opt`, over what the configuration file has of them.

import { readConfigurationFile } from '../images/configuration-file.ts'
import { MinictrError } from '../system/error.ts'

export type LogDriver = 'json-file' | 'none'

/** As chosen for one container. */
export type LogOptions = {
  driver: LogDriver
  /** A file that has grown to this becomes json.log.1, and a new one is begun; undefined: never. */
  maxBytes?: number
  /** How many files there may be, the one that grows among them. */
  maxFiles: number
}

/** What a command line says of it; what it leaves open is the configuration file's. */
export type LogWish = { driver?: LogDriver; maxBytes?: number; maxFiles?: number }

const DEFAULT_DRIVER: LogDriver = 'json-file'
/** Docker's other drivers (docs.docker.com, "Supported logging drivers"). */
const FOREIGN_DRIVERS = [
  'local',
  'syslog',
  'journald',
  'gelf',
  'fluentd',
  'awslogs',
  'splunk',
  'etwlogs',
  'gcplogs',
]
/** Docker's other options of json-file. */
const FOREIGN_OPTIONS = [
  'compress',
  'labels',
  'labels-regex',
  'env',
  'env-regex',
  'tag',
  'mode',
  'max-buffer-size',
]

/** Reads the name of a driver. Throws MinictrError for one that minictr has not. */
export function parseLogDriver(name: string): LogDriver {
  if (name === 'json-file' || name === 'none') return name
  const remedy = 'Use json-file, which is the default, or none.'
  if (FOREIGN_DRIVERS.includes(name)) {
    throw new MinictrError(`logger: the log driver '${name}' is Docker's alone: minictr writes files only`, {
      remedy,
    })
  }
  throw new MinictrError(`logger: no log driver named '${name}' is registered`, { remedy })
}

/** Reads `max-size=10m` or `max-file=3` into a wish. Throws MinictrError. Source: moby, jsonfilelog.go. */
export function addLogOption(wish: LogWish, text: string): void {
  const equals = text.indexOf('=')
  const key = equals < 0 ? text : text.slice(0, equals)
  const value = equals < 0 ? '' : text.slice(equals + 1)
  if (key === 'max-size') {
    const maxBytes = parseDecimalSize(value)
    if (maxBytes !== -1) wish.maxBytes = maxBytes
  } else if (key === 'max-file') {
    if (!/^[+-]?\d+$/.test(value)) throw new MinictrError(`parsing "${value}": invalid syntax`)
    if (Number(value) < 1) throw new MinictrError('max-file cannot be less than 1')
    wish.maxFiles = Number(value)
  } else {
    const why = FOREIGN_OPTIONS.includes(key) ? 'minictr has' : 'There are'
    throw new MinictrError(`unknown log opt '${key}' for json-file log driver`, {
      remedy: `${why} max-size and max-file.`,
    })
  }
}

/** Throws MinictrError where options were given to a driver that has none. */
export function checkLogWish({ driver, maxBytes, maxFiles }: LogWish): void {
  if (driver !== 'none' || (maxBytes === undefined && maxFiles === undefined)) return
  throw new MinictrError('invalid logging opts for driver none')
}

/**
 * What a container gets: its own wish over `log-driver` and `log-opts` of the configuration file, whose options count
 * for a container of the same driver only. Throws MinictrError for a file that has something else there. Source:
 * dockerd(8); moby, daemon/logs.go (mergeAndVerifyLogConfig).
 */
export function chooseLog(wish: LogWish, configFile: string): LogOptions {
  const configured = configuredLog(configFile)
  const driver = wish.driver ?? configured.driver ?? DEFAULT_DRIVER
  if (driver === 'none') return { driver, maxFiles: 1 }
  const { maxBytes, maxFiles } =
    driver === (configured.driver ?? DEFAULT_DRIVER) ? { ...configured, ...wish } : wish
  return { driver, ...(maxBytes !== undefined && { maxBytes }), maxFiles: maxFiles ?? 1 }
}

function configuredLog(file: string): LogWish {
  const { 'log-driver': driver, 'log-opts': options } = readConfigurationFile(file)
  const wish: LogWish = {}
  if (driver === undefined && options === undefined) return wish
  try {
    if (driver !== undefined) wish.driver = parseLogDriver(String(driver))
    if (wish.driver !== 'none')
      for (const [key, value] of entriesOf(options)) addLogOption(wish, `${key}=${value}`)
  } catch (cause) {
    throw new MinictrError(`${file}: log-driver, log-opts: ${(cause as Error).message}`, { cause })
  }
  return wish
}

function entriesOf(options: unknown): [string, unknown][] {
  if (options === undefined) return []
  if (typeof options === 'object' && options !== null && !Array.isArray(options))
    return Object.entries(options)
  throw new MinictrError(`${JSON.stringify(options)} is not an object such as {"max-size": "10m"}`)
}

/** Sizes of log files are in powers of 1000, in any case; -1 is "unlimited". Source: go-units, FromHumanSize. */
function parseDecimalSize(text: string): number {
  if (text === '-1') return -1
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp])?(?:i?b)?$/i.exec(text)
  if (!match) throw new MinictrError(`invalid size: '${text}'`)
  const bytes = Math.trunc(Number(match[1]) * 1000 ** ' kmgtp'.indexOf((match[2] ?? ' ').toLowerCase()))
  if (bytes <= 0 || bytes > Number.MAX_SAFE_INTEGER)
    throw new MinictrError('max-size must be a positive number')
  return bytes
}
