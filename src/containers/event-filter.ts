// Which events are shown: `--filter` of `minictr events` as Docker knows it.

import { filterValues, hasLabel } from '../system/filters.ts'
import type { RecordedEvent } from './event-stream.ts'

export type Keep = (event: RecordedEvent) => boolean

/** These have an argument behind a colon (`exec_start: sh`), which a filter may leave out. */
const ACTIONS_WITH_ARGUMENTS = ['health_status', 'exec_create', 'exec_start']

const tests: Record<string, (event: RecordedEvent, value: string) => boolean> = {
  type: ({ type }, value) => type === value,
  scope: (_, value) => value === 'local',
  event: ({ action }, value) =>
    ACTIONS_WITH_ARGUMENTS.includes(value) ? action.startsWith(value) : action === value,
  container: named('container'),
  volume: named('volume'),
  network: named('network'),
  daemon: named('daemon'),
  image: ({ type, id, attributes }, value) =>
    [type === 'image' ? id : '', attributes[type === 'image' ? 'name' : 'image'] ?? ''].some(
      name => name !== '' && (name === value || withoutTag(name) === value),
    ),
  label: ({ attributes }, value) => hasLabel(attributes, value),
}

/**
 * Turns filters (`key=value`) into one test: an event passes if it fits one value of each key, and all labels. Throws
 * MinictrError for an unknown key. Source: `docker system events`, "Filtering"; moby, daemon/events/filter.go.
 */
export function eventFilter(filters: readonly string[]): Keep {
  const byKey = filterValues(filters, Object.keys(tests))
  return event =>
    [...byKey].every(([key, values]) => {
      const fits = (value: string) => tests[key]!(event, value)
      return key === 'label' ? values.every(fits) : values.some(fits)
    })
}

/** By the beginning of its id or name. */
function named(wanted: string): (event: RecordedEvent, value: string) => boolean {
  return ({ type, id, attributes }, value) => {
    if (type !== wanted)
      return (attributes[wanted] ?? '').startsWith(value) && Object.hasOwn(attributes, wanted)
    return id.startsWith(value) || (attributes.name ?? '').startsWith(value)
  }
}

function withoutTag(name: string): string {
  return name.replace(/@.*$/, '').replace(/:[^:/]*$/, '')
}
