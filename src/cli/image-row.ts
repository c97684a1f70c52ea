// The lines of an image in a list, one for each of its names, and the titles of the columns.

import type { CatalogImage } from '../images/catalog.ts'
import { familiarRepository, parseReference } from '../images/reference.ts'

/** The titles of the columns. Source: docker/cli, formatter/image.go. */
export const IMAGE_TITLES = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  Containers: 'CONTAINERS',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
}

export type ImageName = { Repository: string; Tag: string; Digest: string }

const NONE = '<none>'

/** What each line says of the image's names, of those tags only that `shows` lets pass; one line where it has no name. */
export function namesOf(image: CatalogImage, shows: (tag: string) => boolean = () => true): ImageName[] {
  const tagged = image.tags.filter(shows).map(name => ({ ...split(name), Digest: digestOf(name, image) }))
  if (tagged.length > 0) return tagged
  const digests = new Map(
    image.digests.map(name => [split(name).Repository, name.slice(name.indexOf('@') + 1)]),
  )
  if (digests.size === 0) return [{ Repository: NONE, Tag: NONE, Digest: NONE }]
  return [...digests].map(([name, digest]) => ({ Repository: name, Tag: NONE, Digest: digest }))
}

function split(name: string): { Repository: string; Tag: string } {
  const reference = parseReference(name)
  return { Repository: familiarRepository(reference), Tag: reference.tag ?? NONE }
}

function digestOf(name: string, { digests }: CatalogImage): string {
  const { Repository } = split(name)
  const known = digests.find(digest => digest.startsWith(`${Repository}@`))
  return known === undefined ? NONE : known.slice(known.indexOf('@') + 1)
}
