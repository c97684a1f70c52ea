// What is told of images in `minictr events`, in Docker's words.

import { recordEvent } from '../containers/events.ts'
import { familiarName, familiarRepository, type Reference } from '../images/reference.ts'
import type { Removed } from '../images/remove.ts'
import type { GlobalOptions } from './command.ts'

/** An image has come from a registry. */
export function recordPull(roots: GlobalOptions, reference: Reference): void {
  const attributes = { name: familiarRepository(reference) }
  recordEvent(roots, { type: 'image', action: 'pull', id: familiarName(reference), attributes })
}

/** An image has been made of what is not one; `id` is its id. */
export function recordImport(roots: GlobalOptions, id: string, name: string): void {
  recordEvent(roots, { type: 'image', action: 'import', id, attributes: { name } })
}

/** Names are gone, and perhaps the image. */
export function recordRemoval(roots: GlobalOptions, { imageId, untagged, deleted }: Removed): void {
  const attributes = { name: imageId }
  for (const _ of untagged.filter(name => !name.includes('@')))
    recordEvent(roots, { type: 'image', action: 'untag', id: imageId, attributes })
  if (deleted.includes(imageId))
    recordEvent(roots, { type: 'image', action: 'delete', id: imageId, attributes })
}
