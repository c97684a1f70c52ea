// Limits of one process, as getrlimit(2) knows them.

import { MinictrError } from '../system/error.ts'
import { rlimitResources } from './constants.ts'
import type { Rlimit } from './spec.ts'

/**
 * The OCI form of a limit named as in `--ulimit` (`nofile`) or in getrlimit(2) (`RLIMIT_NOFILE`); -1 is unlimited.
 * Throws MinictrError for an unknown name and for a soft limit above the hard one.
 */
export function rlimitOf(name: string, soft: number, hard: number): Rlimit {
  const upper = name.toUpperCase()
  const type = upper.startsWith('RLIMIT_') ? upper : `RLIMIT_${upper}`
  if (rlimitResources[type] === undefined) {
    throw new MinictrError(`Linux has no resource limit called ${name}`, {
      remedy: `There are ${Object.keys(rlimitResources)
        .map(known => known.slice('RLIMIT_'.length).toLowerCase())
        .join(', ')}: getrlimit(2) tells what each is.`,
    })
  }
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw new MinictrError(
      `The soft limit of ${name} (${show(soft)}) is above the hard one (${show(hard)})`,
      {
        remedy: 'Give the soft limit first: --ulimit nofile=1024:4096.',
      },
    )
  }
  return { type, soft, hard }
}

function show(limit: number): string {
  return limit === -1 ? 'unlimited' : String(limit)
}
