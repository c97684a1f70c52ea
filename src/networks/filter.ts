// Which networks a list shows, and which are pruned: `--filter` as Docker knows it.

import { MinictrError } from '../system/error.ts'
import { filterValues, hasLabel, isChosenByLabels } from '../system/filters.ts'
import { isPredefined, type Network } from './network.ts'

export type Keep = (network: Network) => boolean
type Test = (network: Network, value: string) => boolean

/**
 * The filters of `network ls` (`key=value`) as one test: a network passes if it fits one value of each key, and all labels.
 * `isUsed` tells whether a container is in it. Throws MinictrError for an unknown key or value. Source: `docker network
 * ls`, "Filtering"; moby, daemon/network/filter.go.
 */
export function networkFilter(filters: readonly string[], isUsed: (network: Network) => boolean): Keep {
  const tests: Record<string, Test> = {
    dangling: (network, value) =>
      (isPredefined(network.name) || isUsed(network)) === ['0', 'false'].includes(value),
    driver: ({ driver }, value) => driver === value,
    id: ({ id }, value) => id.includes(value),
    label: ({ labels }, value) => hasLabel(labels, value),
    name: ({ name }, value) => name.includes(value),
    scope: (_, value) => value === 'local',
    type: ({ name }, value) => isPredefined(name) === (value === 'builtin'),
  }
  const byKey = filterValues(filters, Object.keys(tests))
  for (const value of byKey.get('dangling') ?? []) checkDangling(value)
  for (const value of byKey.get('type') ?? []) checkType(value)
  return network =>
    [...byKey].every(([key, values]) => {
      const fits = (value: string) => tests[key]!(network, value)
      return key === 'label' ? values.every(fits) : values.some(fits)
    })
}

/**
 * The filters of `network prune`, likewise; `until` is a moment that `momentOf` reads in nanoseconds since 1970, and throws
 * for one that is none.
 */
export function pruneFilter(filters: readonly string[], momentOf: (text: string) => bigint): Keep {
  const byKey = filterValues(filters, ['label', 'label!', 'until'])
  const limits = (byKey.get('until') ?? []).map(momentOf)
  return ({ createdAt, labels }) =>
    limits.every(limitNs => BigInt(Date.parse(createdAt)) * 1_000_000n < limitNs) &&
    isChosenByLabels(byKey, labels)
}

function checkDangling(value: string): void {
  if (['0', '1', 'false', 'true'].includes(value)) return
  throw new MinictrError(`invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`)
}

function checkType(value: string): void {
  if (value !== 'builtin' && value !== 'custom') throw new MinictrError(`invalid filter: 'type'='${value}'`)
}
