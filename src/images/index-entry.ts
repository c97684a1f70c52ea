// The lines of a store's index.json: which names stand for which manifests, and what other tools read in them.

import { type Descriptor, type Index, MEDIA_TYPES } from './manifest.ts'
import { canonicalName, parseReference, type Reference, withDefaultTag, withoutIdleTag } from './reference.ts'

/** The annotation by which skopeo, umoci and crane address an image of a layout. */
const REF_NAME = 'org.opencontainers.image.ref.name'
/** containerd's annotation for the same; `docker load` and `ctr image import` take the full name from it. */
const CONTAINERD_NAME = 'io.containerd.image.name'
/** `repository@digest` as the registry knew it: an index's digest where the image was chosen from an index. */
const REPO_DIGEST = 'io.minictr.repo-digest'

/** One line of index.json: a name for a manifest. Without a name it is an image that lost its name to a newer one. */
export type Entry = {
  /** The full name, `docker.io/library/debian:trixie`. */
  name?: string
  manifest: Descriptor
  /** `docker.io/library/debian@sha256:…` where it came from a registry. */
  repoDigest?: string
}

/** Whether an entry is an image of its own; other tools put indexes of several here too. */
export function isImage({ manifest }: Entry): boolean {
  return !/index|manifest\.list/.test(manifest.mediaType)
}

/** The entries that a name or name@digest stands for; none for what can only be an id. Throws MinictrError for what is neither. */
export function byReference(entries: Entry[], text: string): Entry[] {
  let reference: Reference
  try {
    reference = withDefaultTag(parseReference(text))
  } catch (error) {
    if (/^[0-9a-f]{64}$/.test(text)) return []
    throw error
  }
  if (reference.digest === undefined) {
    const full = canonicalName(reference)
    return entries.filter(({ name }) => name === full)
  }
  // With a digest the tag is decoration: the digest decides, of the manifest itself or of the index it was chosen from.
  const repository = repositoryOf(reference)
  const known = `${repository}@${reference.digest}`
  return entries.filter(
    ({ name, manifest, repoDigest }) =>
      repoDigest === known ||
      (manifest.digest === reference.digest &&
        (name ?? repoDigest) !== undefined &&
        repositoryOf(parseReference((name ?? repoDigest)!)) === repository),
  )
}

/** `docker.io/library/debian` */
export function repositoryOf({ domain, path }: Reference): string {
  return `${domain}/${path}`
}

/** The entries without this name; an image whose last name it was stays as a nameless entry. */
export function withoutName(entries: Entry[], name: string): Entry[] {
  const rest = entries.filter(entry => entry.name !== name)
  const lost = entries.filter(
    entry => entry.name === name && !rest.some(({ manifest }) => manifest.digest === entry.manifest.digest),
  )
  return [...rest, ...lost.map(({ manifest, repoDigest }) => ({ manifest, repoDigest }))]
}

/**
 * The entries once the name stands for that manifest, and for no other; `repoDigest` is the digest under which the registry knows
 * it. Throws MinictrError for an invalid name.
 */
export function withName(entries: Entry[], name: string, manifest: Descriptor, repoDigest?: string): Entry[] {
  const reference = withoutIdleTag(withDefaultTag(parseReference(name)))
  const full = canonicalName(reference)
  const known = repoDigest === undefined ? undefined : `${repositoryOf(reference)}@${repoDigest}`
  const { mediaType, digest, size, platform } = manifest
  const added = {
    name: full,
    manifest: { mediaType, digest, size, ...(platform && { platform }) },
    repoDigest: known,
  }
  const others = withoutName(entries, full).filter(
    entry => entry.name !== undefined || entry.manifest.digest !== digest,
  )
  return [...others, added]
}

/** An entry out of index.json. */
export function toEntry({ annotations, ...manifest }: Descriptor): Entry {
  return { name: annotations?.[REF_NAME], manifest, repoDigest: annotations?.[REPO_DIGEST] }
}

/** An entry for index.json. */
function toDescriptor({ name, manifest, repoDigest }: Entry): Descriptor {
  const annotations = {
    ...(name && { [REF_NAME]: name, [CONTAINERD_NAME]: name }),
    ...(repoDigest && { [REPO_DIGEST]: repoDigest }),
  }
  return { ...manifest, ...(Object.keys(annotations).length > 0 && { annotations }) }
}

/** The bytes of an index.json with these entries. */
export function toIndex(entries: Entry[]): Buffer {
  const index: Index = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: entries.map(toDescriptor),
  }
  return Buffer.from(`${JSON.stringify(index, null, 2)}\n`)
}
