// Which volumes a list shows, and which are pruned: `--filter` as Docker knows it.

import { MinictrError } from '../system/error.ts'
import { filterValues, hasLabel, isChosenByLabels } from '../system/filters.ts'
import type { Volume } from './volume.ts'

export type Keep = (volume: Volume) => boolean
/**
 * The filters of `volume ls` (`key=value`) as one test: a volume passes if it fits one value of each key, and all labels.
 * `isUsed` tells whether a container has it. Throws MinictrError for an unknown key or value. Source: `docker volume ls`,
 * "Filtering"; moby, volume/service/opts.go.
 */
export function volumeFilter(filters: readonly string[], isUsed: (name: string) => boolean): Keep {
  const tests: Record<string, (volume: Volume, value: string) => boolean> = {
    dangling: ({ name }, value) => isUsed(name) !== parseDangling(value),
    driver: ({ driver }, value) => driver === value,
    label: ({ labels }, value) => hasLabel(labels, value),
    name: ({ name }, value) => name.includes(value),
  }
  const byKey = filterValues(filters, Object.keys(tests))
  for (const value of byKey.get('dangling') ?? []) parseDangling(value)
  return volume =>
    [...byKey].every(([key, values]) => {
      const fits = (value: string) => tests[key]!(volume, value)
      return key === 'label' ? values.every(fits) : values.some(fits)
    })
}

/**
 * The filters of `volume prune`, likewise; `all=true` takes volumes with a name as well. Throws MinictrError for an unknown key.
 */
export function pruneFilter(filters: readonly string[]): Keep {
  const byKey = filterValues(filters, ['all', 'label', 'label!'])
  const isForAll = byKey.get('all')?.every(value => ['1', 'true'].includes(value.toLowerCase())) ?? true
  return ({ isAnonymous, labels }) => (isForAll || isAnonymous) && isChosenByLabels(byKey, labels)
}

function parseDangling(value: string): boolean {
  if (/^(?:1|true)$/i.test(value)) return true
  if (/^(?:0|false)$/i.test(value)) return false
  throw new MinictrError(`invalid filter 'dangling=[${value}]'`)
}
