// The events of a container: each tells its image, its name and its labels.

import { recordEvent } from './events.ts'
import type { ContainerRecord } from './record.ts'
import type { Roots } from './state.ts'

/** Tells that something happened to a container. `action` is Docker's word; `more` are attributes of this event alone. */
export function recordContainerEvent(
  roots: Roots,
  { id, record }: { id: string; record: ContainerRecord },
  action: string,
  more: Record<string, string> = {},
): void {
  const { labels, image, name } = record
  const attributes = { ...more, ...labels, image: image.name, name }
  recordEvent(roots, { type: 'container', action, id, attributes })
}
