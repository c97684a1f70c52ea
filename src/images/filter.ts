// Which images a list shows: `--filter` as Docker knows it.

import { MinictrError } from '../system/error.ts'
import { filterValues, hasLabel, isChosenByLabels } from '../system/filters.ts'
import { type CatalogImage, findInCatalog } from './catalog.ts'
import { familiarName, familiarRepository, parseReference } from './reference.ts'
import type { ImageStore } from './store.ts'

export type Keep = (image: CatalogImage) => boolean

const tests: Record<string, (value: string, store: ImageStore) => Keep> = {
  before: (value, store) => compareCreated(store, value, (at, limit) => at < limit),
  dangling: value => danglingFilter(value),
  label:
    value =>
    ({ config }) =>
      hasLabel(config.config?.Labels ?? {}, value),
  reference: value => referenceFilter(value),
  since: (value, store) => compareCreated(store, value, (at, limit) => at > limit),
  until: value => olderFilter(value),
}

/**
 * Turns filters (`key=value`) into one test: an image passes if it fits one value of each key, and all labels. Throws
 * MinictrError for an unknown key, a wrong value or an image that is not there. Source: `docker image ls`, "Filtering".
 */
export function imageFilter(filters: readonly string[], store: ImageStore): Keep {
  const byKey = [...filterValues(filters, Object.keys(tests))].map(([key, values]) => ({
    key,
    keeps: values.map(value => tests[key]!(value, store)),
  }))
  return image =>
    byKey.every(({ key, keeps }) =>
      key === 'label' ? keeps.every(keep => keep(image)) : keeps.some(keep => keep(image)),
    )
}

/**
 * The filters of `image prune`: which of the images that no container needs go. With `all`, or `dangling=false`, those with a
 * name as well. Throws MinictrError. Source: `docker image prune`, "Filtering".
 */
export function imagePruneFilter(filters: readonly string[], all: boolean): Keep {
  const byKey = filterValues(filters, ['dangling', 'label', 'label!', 'until'])
  const isNameless = danglingFilter('true')
  const sparesNamed = !all && (byKey.get('dangling') ?? ['true']).some(toBoolean)
  const older = (byKey.get('until') ?? []).map(olderFilter)
  return image =>
    (isNameless(image) || !sparesNamed) &&
    older.every(keep => keep(image)) &&
    isChosenByLabels(byKey, image.config.config?.Labels ?? {})
}

function danglingFilter(value: string): Keep {
  const wanted = toBoolean(value)
  return image => (image.tags.length === 0) === wanted
}

function olderFilter(value: string): Keep {
  const limitMs = toTime(value)
  return image => (image.createdAtMs ?? 0) < limitMs
}

/** Docker matches the short name with and without its tag, and `*` stops at a slash (Go's path.Match). */
export function referenceFilter(pattern: string): (image: Pick<CatalogImage, 'tags' | 'digests'>) => boolean {
  const glob = globToRegExp(pattern)
  return ({ tags, digests }) =>
    [...tags, ...digests].some(name => {
      const reference = parseReference(name)
      return glob.test(familiarName(reference)) || glob.test(familiarRepository(reference))
    })
}

function globToRegExp(pattern: string): RegExp {
  const source = pattern.replaceAll(
    /\\(.)|\[(\^?)((?:[^\]\\]|\\.)+)\]|([*?])|([.+^${}()|[\]\\])/g,
    (_, escaped, not, set, sign, special) => {
      if (escaped !== undefined) return `\\${escaped}`
      if (set !== undefined) return `[${not}${set}]`
      if (sign !== undefined) return sign === '*' ? '[^/]*' : '[^/]'
      return `\\${special}`
    },
  )
  return new RegExp(`^${source}$`)
}

function compareCreated(store: ImageStore, text: string, fits: (at: number, limit: number) => boolean): Keep {
  const limit = findInCatalog(store, text).createdAtMs ?? 0
  return image => fits(image.createdAtMs ?? 0, limit)
}

function toBoolean(value: string): boolean {
  if (/^(?:1|t|true)$/i.test(value)) return true
  if (/^(?:0|f|false)$/i.test(value)) return false
  throw new MinictrError(`invalid filter 'dangling=${value}': it is neither true nor false`)
}

const DURATION_UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A date, seconds since 1970, or how long ago (`24h`, `1h30m`). */
function toTime(value: string): number {
  if (/^[0-9]+(?:\.[0-9]+)?$/.test(value)) return Number(value) * 1000
  if (/^(?:[0-9]+[smhd])+$/.test(value)) {
    const parts = [...value.matchAll(/([0-9]+)([smhd])/g)]
    return (
      Date.now() - parts.reduce((sum, [, count, unit]) => sum + Number(count) * DURATION_UNITS[unit!]!, 0)
    )
  }
  const time = Date.parse(value)
  if (Number.isNaN(time)) throw new MinictrError(`invalid filter 'until=${value}': it is no time`)
  return time
}
