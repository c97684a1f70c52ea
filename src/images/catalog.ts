// The images of a store as people count them: by id, each with all its names.

import type { Entry } from './index-entry.ts'
import { familiarName, parseReference } from './reference.ts'
import type { Image, ImageStore } from './store.ts'

export type CatalogImage = Image & {
  /** Usually one; several where the same image came compressed in different ways. */
  manifestDigests: string[]
  /** Names with a tag, in short spelling: `debian:trixie`. */
  tags: string[]
  /** Names by digest as registries know it: `debian@sha256:…`. */
  digests: string[]
  /** Milliseconds since 1970; undefined where the image does not say. */
  createdAtMs: number | undefined
}

/** All images, the newest first, as Docker lists them. What other tools keep in the store besides is left out. */
export function listImages(store: ImageStore): CatalogImage[] {
  const byId = new Map<string, { image: Image; entries: Entry[] }>()
  for (const [entry, image] of store.images()) {
    const known = byId.get(image.id)
    if (known) known.entries.push(entry)
    else byId.set(image.id, { image, entries: [entry] })
  }
  const images = [...byId.values()].map(({ image, entries: own }) => describe(image, own))
  return images.sort((a, b) => (b.createdAtMs ?? 0) - (a.createdAtMs ?? 0))
}

/** The image of the catalogue that `find` would give for this text. */
export function findInCatalog(store: ImageStore, text: string): CatalogImage {
  const { id } = store.resolve(text)
  return listImages(store).find(image => image.id === id)!
}

function describe(image: Image, entries: Entry[]): CatalogImage {
  const tags = new Set<string>()
  const digests = new Set<string>()
  for (const { name, repoDigest } of entries) {
    const reference = name === undefined ? undefined : parseReference(name)
    if (reference) (reference.digest === undefined ? tags : digests).add(familiarName(reference))
    if (repoDigest) digests.add(familiarName(parseReference(repoDigest)))
  }
  const created = Date.parse(image.config.created ?? '')
  return {
    ...image,
    manifestDigests: [...new Set(entries.map(({ manifest }) => manifest.digest))],
    names: entries.flatMap(({ name }) => name ?? []),
    tags: [...tags].sort(),
    digests: [...digests].sort(),
    createdAtMs: Number.isNaN(created) ? undefined : created,
  }
}
