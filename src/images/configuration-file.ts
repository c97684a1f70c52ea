// The administrator's configuration file as it is: one JSON object in the format of Docker's daemon.json.

import { readFileSync } from 'node:fs'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'

export const DEFAULT_CONFIGURATION_FILE = '/etc/minictr/config.json'

/** All that anybody reads there: a key that nobody does is one that somebody mistyped, or counts on in vain. */
const KEYS = [
  'registry-mirrors',
  'insecure-registries',
  'userns-remap',
  'log-driver',
  'log-opts',
  'default-address-pools',
  'bip',
  'fixed-cidr',
  'fixed-cidr-v6',
  'ipv6',
  'mtu',
  'ip',
  'ip-masq',
]

/**
 * Reads the file; empty where the default one is missing. Another one was named on purpose and may not be. Throws
 * MinictrError for a file that cannot be read, holds no JSON object, or has a key that minictr does not know. Source:
 * dockerd(8), "--config-file".
 */
export function readConfigurationFile(file: string): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if (file === DEFAULT_CONFIGURATION_FILE && errnoOf(cause) === 'ENOENT') return {}
    throw new MinictrError(`Cannot read the configuration file ${file}: ${(cause as Error).message}`, {
      remedy: 'Check the path that --config names.',
      cause,
    })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new MinictrError(`${file} is not JSON: ${(cause as Error).message}`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MinictrError(`${file} holds ${JSON.stringify(value)}, not an object`)
  }
  const unknown = Object.keys(value).find(key => !KEYS.includes(key))
  if (unknown !== undefined) {
    throw new MinictrError(`${file}: unknown key "${unknown}"`, {
      remedy: `The keys are some of Docker’s daemon.json: ${KEYS.join(', ')}.`,
    })
  }
  return value as Record<string, unknown>
}
