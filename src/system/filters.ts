// What `--filter` says, in every list that has it: KEY=VALUE, given as often as one likes.

import { MinictrError } from './error.ts'

/**
 * The values of filters by their keys. Throws MinictrError in Docker's words for a filter without a value and for a key that is
 * not among `keys`. Source: github.com/docker/cli, opts/filter.go.
 */
export function filterValues(filters: readonly string[], keys: readonly string[]): Map<string, string[]> {
  const byKey = new Map<string, string[]>()
  for (const filter of filters) {
    const equals = filter.indexOf('=')
    if (equals < 0) {
      throw new MinictrError(
        `invalid argument "${filter}" for "--filter" flag: bad format of filter (expected name=value)`,
        { exitStatus: 125 },
      )
    }
    const key = filter.slice(0, equals).trim().toLowerCase()
    if (!keys.includes(key)) {
      throw new MinictrError(`invalid filter '${key}'`, { remedy: `There are: ${keys.join(', ')}.` })
    }
    byKey.set(key, [...(byKey.get(key) ?? []), filter.slice(equals + 1).trim()])
  }
  return byKey
}

/** Whether something with these labels fits `NAME` or `NAME=VALUE`. */
export function hasLabel(labels: Record<string, string>, wanted: string): boolean {
  const equals = wanted.indexOf('=')
  const name = equals < 0 ? wanted : wanted.slice(0, equals)
  return Object.hasOwn(labels, name) && (equals < 0 || labels[name] === wanted.slice(equals + 1))
}

/**
 * Whether something with these labels is to be pruned: it has all that `label` names, and not all that `label!` names. Source:
 * moby, daemon/prune.go (matchLabels).
 */
export function isChosenByLabels(byKey: Map<string, string[]>, labels: Record<string, string>): boolean {
  const has = (wanted: string) => hasLabel(labels, wanted)
  const spared = byKey.get('label!')
  return (byKey.get('label') ?? []).every(has) && !spared?.every(has)
}
