// The one key of the configuration file that is about containers: `userns-remap`, a mapping for all that name none.

import { readConfigurationFile } from '../images/configuration-file.ts'
import { MinictrError } from '../system/error.ts'

/**
 * `userns-remap` of a configuration file in the format of Docker's daemon.json; undefined where the key, or the default
 * file, is missing. Throws MinictrError for a file that cannot be read or has something else there. Source: dockerd(8).
 */
export function configuredRemap(file: string): string | undefined {
  const { 'userns-remap': remap } = readConfigurationFile(file)
  if (remap === undefined || typeof remap === 'string') return remap
  throw new MinictrError(`${file}: userns-remap is ${JSON.stringify(remap)}, not a text such as "auto"`)
}
