// Removing images: names first, and the content once its last name is gone and no container needs it.

import { MinictrError } from '../system/error.ts'
import { type CatalogImage, findInCatalog } from './catalog.ts'
import { collectGarbage } from './collect.ts'
import type { LayerStore } from './layers.ts'
import {
  canonicalName,
  familiarName,
  familiarRepository,
  parseReference,
  withDefaultTag,
} from './reference.ts'
import type { ImageStore } from './store.ts'

/** A container as images see it. */
export type ImageUse = {
  containerId: string
  isRunning: boolean
  imageId: string
  /** The layer directories it is mounted from. */
  layerPaths: string[]
}

export type Removed = {
  imageId: string
  /** Names that are gone, in short spelling. */
  untagged: string[]
  /** Digests of what was deleted: the image's id, then its layers'. */
  deleted: string[]
  /** Whether content that nobody needs had to stay, because somebody is bringing content just now. */
  isContentKept: boolean
}

/**
 * Removes what a name, name@digest or id stands for. Throws MinictrError in Docker's words where there is no such image,
 * a container needs it, or an id has several names and `force` is not given. Source: `docker image rm`.
 */
export async function removeImage(
  text: string,
  force: boolean,
  store: ImageStore,
  layers: LayerStore,
  listContainers: () => readonly ImageUse[],
): Promise<Removed> {
  const image = findInCatalog(store, text)
  const uses = listContainers().filter(({ imageId }) => imageId === image.id)
  const name = nameIn(image, text)
  if (name !== undefined && image.tags.length > 1) return await untag(image, name, store)
  if (name !== undefined) refuseUsedName(image, name, uses, force)
  else refuseId(image, uses, force)
  const untagged = [...image.tags, ...image.digests]
  if (uses.some(({ isRunning }) => isRunning)) {
    for (const each of image.names) await store.untag(each)
    return { imageId: image.id, untagged, deleted: [], isContentKept: false }
  }
  await store.forget(new Set(image.manifestDigests))
  const collected = await collectGarbage(store, layers, () =>
    listContainers().flatMap(({ layerPaths }) => layerPaths),
  )
  return {
    imageId: image.id,
    untagged,
    deleted: [image.id, ...(collected?.layers ?? [])],
    isContentKept: collected === undefined,
  }
}

/** The image's full name that the text is; undefined where the text is an id or names a digest. */
function nameIn(image: CatalogImage, text: string): string | undefined {
  return image.names.find(name => {
    try {
      return name === canonicalName(withDefaultTag(parseReference(text)))
    } catch {
      return false
    }
  })
}

async function untag(image: CatalogImage, name: string, store: ImageStore): Promise<Removed> {
  const reference = parseReference(name)
  const repository = familiarRepository(reference)
  const isLastOfRepository = !image.names.some(
    each => each !== name && familiarRepository(parseReference(each)) === repository,
  )
  await store.untag(name)
  const digests = isLastOfRepository ? image.digests.filter(each => each.startsWith(`${repository}@`)) : []
  return {
    imageId: image.id,
    untagged: [familiarName(reference), ...digests],
    deleted: [],
    isContentKept: false,
  }
}

function refuseUsedName(image: CatalogImage, name: string, [use]: ImageUse[], force: boolean): void {
  if (force || !use) return
  throw conflict(
    `unable to remove repository reference "${familiarName(parseReference(name))}" (must force) - ` +
      `container ${short(use.containerId)} is using its referenced image ${short(image.id)}`,
    `Remove the container first (minictr rm ${short(use.containerId)}), or add --force.`,
  )
}

function refuseId(image: CatalogImage, uses: ImageUse[], force: boolean): void {
  const running = uses.find(({ isRunning }) => isRunning)
  const id = short(image.id)
  if (running) {
    throw conflict(
      `unable to delete ${id} (cannot be forced) - image is being used by running container ${short(running.containerId)}`,
      `End the container first: minictr rm --force ${short(running.containerId)}`,
    )
  }
  if (force) return
  if (image.tags.length > 1) {
    throw conflict(
      `unable to delete ${id} (must be forced) - image is referenced in multiple repositories`,
      'Remove its names one by one, or add --force.',
    )
  }
  if (uses[0]) {
    throw conflict(
      `unable to delete ${id} (must be forced) - image is being used by stopped container ${short(uses[0].containerId)}`,
      `Remove the container first (minictr rm ${short(uses[0].containerId)}), or add --force.`,
    )
  }
}

function conflict(reason: string, remedy: string): MinictrError {
  return new MinictrError(`conflict: ${reason}`, { remedy })
}

function short(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12)
}
