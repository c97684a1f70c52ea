// The events of a container: each tells its image, its name and its labels.

import { type HappenedEvent, recordEvent } from './events.ts'
import type { ContainerRecord } from './record.ts'
import type { Roots } from './state.ts'

/** Tells that something happened to a container. `action` is Docker's word; `more` are attributes of this event alone. */
export function recordContainerEvent(
  roots: Roots,
  container: { id: string; record: ContainerRecord },
  action: string,
  more: Record<string, string> = {},
): void {
  recordEvent(roots, containerEvent(container, action, more))
}

/** The event that `recordContainerEvent` tells. */
export function containerEvent(
  { id, record: { labels, image, name } }: { id: string; record: ContainerRecord },
  action: string,
  more: Record<string, string>,
): HappenedEvent {
  return { type: 'container', action, id, attributes: { ...more, ...labels, image: image.name, name } }
}
