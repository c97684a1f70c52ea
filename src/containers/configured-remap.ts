// The one key of the configuration file that is about containers: `userns-remap`, a mapping for all that name none.

import { readFileSync } from 'node:fs'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'

/**
 * `userns-remap` of a configuration file in the format of Docker's daemon.json; undefined where the file or the key is
 * missing. Throws MinictrError for a file that cannot be read or is not JSON. Source: dockerd(8).
 */
export function configuredRemap(file: string): string | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw new MinictrError(`Cannot read the configuration file ${file}: ${(error as Error).message}`, {
      cause: error,
    })
  }
  let remap: unknown
  try {
    remap = JSON.parse(text)?.['userns-remap']
  } catch (error) {
    throw new MinictrError(`${file} is not JSON: ${(error as Error).message}`, { cause: error })
  }
  if (remap === undefined || typeof remap === 'string') return remap
  throw new MinictrError(`${file}: userns-remap is ${JSON.stringify(remap)}, not a text such as "auto"`)
}
