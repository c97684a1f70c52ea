// Which containers a list shows: `--filter` of `ps` as Docker knows it.

import { parseExpose, portName } from '../networks/ports.ts'
import { MinictrError } from '../system/error.ts'
import { filterValues, hasLabel, isChosenByLabels } from '../system/filters.ts'
import { isActive } from './condition.ts'
import type { Listed } from './listed.ts'
import { parseMoment } from './moment.ts'
import { networkNames, openPorts } from './networking.ts'
import type { Container } from './state.ts'

export type Keep = (listed: Listed) => boolean

/** What a filter may name besides. */
export type Known = {
  /** Throws MinictrError where there is no such container. */
  findContainer(text: string): Container
  /** Undefined where there is no such image. */
  imageId(text: string): string | undefined
}

type Test = (listed: Listed, value: string) => boolean

const STATES = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead']
const HEALTH = ['starting', 'healthy', 'unhealthy', 'none']

/**
 * Turns filters (`key=value`) into one test: a container passes if it fits one value of each key, and all labels. Throws
 * MinictrError for an unknown key, a wrong value, or a container that is not there. Source: `docker ps`, "Filtering"; moby,
 * daemon/list.go.
 */
export function containerFilter(filters: readonly string[], known: Known): Keep {
  const tests = testsOf(known)
  const byKey = [...filterValues(filters, Object.keys(tests))].map(([key, values]) => ({
    key,
    keeps: values.map(value => tests[key]!(value)),
  }))
  return listed =>
    byKey.every(({ key, keeps }) =>
      key === 'label' ? keeps.every(keep => keep(listed)) : keeps.some(keep => keep(listed)),
    )
}

/** For each key what makes a test of a value. */
function testsOf(known: Known): Record<string, (value: string) => Keep> {
  const simple =
    (test: Test) =>
    (value: string): Keep =>
    listed =>
      test(listed, value)
  return {
    ancestor: value => {
      const id = known.imageId(value)
      return ({ container }) => container.record.image.id === id
    },
    before: value => {
      const limit = known.findContainer(value).record.createdAt
      return ({ container }) => container.record.createdAt < limit
    },
    exited: value => {
      if (!/^[+-]?\d+$/.test(value)) throw new MinictrError(`invalid filter 'exited=${value}'`)
      return ({ container: { exit }, condition: { state } }) =>
        state === 'exited' && exit?.exitStatus === Number(value)
    },
    expose: value => {
      const wanted = portsOf('expose', value)
      return ({ container }) => container.record.ports.exposed.some(port => wanted.has(portName(port)))
    },
    health: value => {
      if (!HEALTH.includes(value))
        throw new MinictrError(`unrecognized filter value for health: ${value}`, {
          remedy: `There are: ${HEALTH.join(', ')}.`,
        })
      return ({ condition }) => (condition.health?.status ?? 'none') === value
    },
    id: simple(({ container }, value) => container.id.startsWith(value)),
    label: simple(({ container }, value) => hasLabel(container.record.labels, value)),
    name: value => {
      const pattern = patternOf(value)
      return ({ container: { name } }) => pattern(name) || pattern(`/${name}`)
    },
    network: simple(({ container }, value) => networkNames(container.record).includes(value)),
    publish: value => {
      const wanted = portsOf('publish', value)
      return ({ container, endpoints }) =>
        openPorts(container, endpoints).bindings.some(binding => wanted.has(portName(binding)))
    },
    since: value => {
      const limit = known.findContainer(value).record.createdAt
      return ({ container }) => container.record.createdAt > limit
    },
    status: value => {
      if (!STATES.includes(value))
        throw new MinictrError(`invalid filter 'status=${value}'`, {
          remedy: `There are: ${STATES.join(', ')}.`,
        })
      return ({ condition }) => condition.state === value
    },
    volume: simple(({ container }, value) =>
      container.record.mounts.some(
        ({ name, source, destination }) => destination === value || (name ?? source) === value,
      ),
    ),
  }
}

/** A regular expression that is found anywhere; a text that is none is itself. */
function patternOf(text: string): (name: string) => boolean {
  let expression: RegExp
  try {
    expression = new RegExp(text)
  } catch {
    return name => name === text
  }
  return name => expression.test(name)
}

/** `80`, `80/udp` or `8000-8080/tcp`, as the single ports. */
function portsOf(key: string, text: string): Set<string> {
  try {
    return new Set(parseExpose(text).map(portName))
  } catch (cause) {
    throw new MinictrError(`error while looking up for ${key} ${text}: it is no port of a container`, {
      remedy: 'Give one, or a range: 80, 53/udp, 8000-8010/tcp.',
      cause,
    })
  }
}

/**
 * The filters of `container prune`: which of the containers that do not run go. Throws MinictrError for an unknown key or value.
 * Source: `docker container prune`, "Filtering".
 */
export function containerPruneFilter(filters: readonly string[], nowMs: number): Keep {
  const byKey = filterValues(filters, ['label', 'label!', 'until'])
  const limits = (byKey.get('until') ?? []).map(value => parseMoment(value, 'until', nowMs))
  return ({ container: { record }, condition }) =>
    !isActive(condition.state) &&
    limits.every(limitNs => BigInt(Date.parse(record.createdAt)) * 1_000_000n < limitNs) &&
    isChosenByLabels(byKey, record.labels)
}
