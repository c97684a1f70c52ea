// --ulimit NAME=SOFT[:HARD]: a resource limit as getrlimit(2) knows it.

import type { Ulimit } from '../../containers/options.ts'
import { MinictrError } from '../../system/error.ts'
import { parseWhole } from './numbers.ts'

const names =
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  )

/**
 * Parses `nofile=1024:2048`; one number is both limits, -1 is unlimited. Throws MinictrError in Docker's words.
 * Source: github.com/docker/go-units, ulimit.go.
 */
export function parseUlimit(text: string): Ulimit {
  const [name, value, ...more] = text.split('=')
  if (value === undefined || more.length > 0) throw new MinictrError(`invalid ulimit argument: ${text}`)
  if (!names.includes(name!)) throw new MinictrError(`invalid ulimit type: ${name}`)
  const limits = value.split(':')
  if (limits.length > 2) {
    throw new MinictrError(
      `too many limit value arguments - ${value}, can only have up to two, \`soft[:hard]\``,
    )
  }
  const soft = parseWhole(limits[0]!)
  const hard = limits[1] === undefined ? soft : parseWhole(limits[1])
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    const shown = soft === -1 ? 'unlimited' : soft
    throw new MinictrError(`ulimit soft limit must be less than or equal to hard limit: ${shown} > ${hard}`)
  }
  return { name: name!, soft, hard }
}
