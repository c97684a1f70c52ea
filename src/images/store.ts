// The image store: a directory that is itself a valid OCI image layout, so that other tools read it as it is.

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { MinictrError } from '../system/error.ts'
import {
  type Descriptor,
  type ImageConfig,
  type Index,
  type Manifest,
  MEDIA_TYPES,
  parseImageConfig,
  parseManifest,
  parseManifestOrIndex,
} from './manifest.ts'
import { type Platform, suitsPlatform } from './platform.ts'
import { assertDigest, canonicalName, parseReference, type Reference, withDefaultTag } from './reference.ts'

/** The annotation by which skopeo, umoci and crane address an image of a layout. */
const REF_NAME = 'org.opencontainers.image.ref.name'
/** containerd's annotation for the same; `docker load` and `ctr image import` take the full name from it. */
const CONTAINERD_NAME = 'io.containerd.image.name'
/** `repository@digest` as the registry knew it: an index's digest where the image was chosen from an index. */
const REPO_DIGEST = 'io.minictr.repo-digest'

/** How the names of files begin whose digest is not known yet. */
const TEMPORARY = 'new-'

/** One line of index.json: a name for a manifest. Without a name it is an image that lost its name to a newer one. */
export type Entry = {
  /** The full name, `docker.io/library/debian:trixie`. */
  name?: string
  manifest: Descriptor
  /** `docker.io/library/debian@sha256:…` where it came from a registry. */
  repoDigest?: string
}

export type Image = {
  /** The configuration's digest: what Docker calls the image id. */
  id: string
  /** The manifest's digest. */
  digest: string
  /** Full names, `docker.io/library/debian:trixie`. */
  names: string[]
  manifest: Manifest
  config: ImageConfig
  /** The layers' diff ids, bottom first. */
  diffIds: string[]
}

/** There is no image of that name or id here. */
export class ImageNotFoundError extends MinictrError {}

/** The images of one root, by name and id. */
export class ImageStore {
  readonly directory: string

  /** `directory` is `<root>/images`; it is made at the first write. */
  constructor(directory: string) {
    this.directory = directory
  }

  /** Where the blob of this digest is or would be. Throws MinictrError for a digest that is none. */
  blobPath(digest: string): string {
    assertDigest(digest)
    return join(this.directory, 'blobs', ...digest.split(':'))
  }

  /** Where a blob grows until it is verified; it survives an interruption, so a download can go on there. */
  partialPath(digest: string): string {
    assertDigest(digest)
    return join(this.directory, 'partial', digest.replace(':', '-'))
  }

  /** Where a blob of a digest that is not known yet may grow, until `commitBlob` gives it its place. */
  temporaryPath(): string {
    this.prepare()
    return join(this.directory, 'partial', TEMPORARY + process.getBuiltinModule('node:crypto').randomUUID())
  }

  /** Whether the blob is here, complete: it only gets its name when it has been verified. */
  hasBlob(digest: string, sizeBytes?: number): boolean {
    const stat = statSync(this.blobPath(digest), { throwIfNoEntry: false })
    return stat !== undefined && (sizeBytes === undefined || stat.size === sizeBytes)
  }

  /** The bytes of a blob (for JSON: layers are streamed). Throws MinictrError where it is missing. */
  readBlob(digest: string): Buffer {
    try {
      return readFileSync(this.blobPath(digest))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
      throw new MinictrError(`The blob ${digest} is not in the image store ${this.directory}`, {
        remedy: 'Pull the image again; what is there already is not fetched twice.',
        cause,
      })
    }
  }

  /** Stores bytes under their digest, durably, and returns their descriptor. */
  putBlob(bytes: Uint8Array, mediaType: string): Descriptor {
    // Required here because it costs milliseconds that `run`, which only reads, does not owe.
    const { hash } = process.getBuiltinModule('node:crypto')
    const digest = `sha256:${hash('sha256', bytes)}`
    if (!this.hasBlob(digest, bytes.length)) {
      this.prepare()
      const path = this.blobPath(digest)
      mkdirSync(dirname(path), { recursive: true })
      replaceFile(path, this.temporaryPath(), bytes)
    }
    return { mediaType, digest, size: bytes.length }
  }

  /** Gives a file whose digest and size the caller has verified its place among the blobs, durably. */
  async commitBlob(digest: string, partialPath: string): Promise<void> {
    this.prepare()
    const path = this.blobPath(digest)
    mkdirSync(dirname(path), { recursive: true })
    const { open, rename } = await import('node:fs/promises')
    const file = await open(partialPath, 'r')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partialPath, path)
  }

  /**
   * Names an image; a name that another image has moves. `repoDigest` is the digest under which the registry knows it
   * (the index's, where the image was chosen from one). The manifest, its configuration and layers are stored already.
   * Throws MinictrError for an invalid name.
   */
  async tag(name: string, manifest: Descriptor, repoDigest?: string): Promise<void> {
    const parsed = withDefaultTag(parseReference(name))
    // Beside a digest a tag says nothing that holds.
    const reference = parsed.digest === undefined ? parsed : { ...parsed, tag: undefined }
    const full = canonicalName(reference)
    const known = repoDigest === undefined ? undefined : `${repositoryOf(reference)}@${repoDigest}`
    const { mediaType, digest, size, platform } = manifest
    const added = {
      name: full,
      manifest: { mediaType, digest, size, ...(platform && { platform }) },
      repoDigest: known,
    }
    await this.change(entries => [
      ...withoutName(entries, full).filter(
        entry => entry.name !== undefined || entry.manifest.digest !== digest,
      ),
      added,
    ])
  }

  /** Takes a name away; the image itself stays, nameless, until it is removed. Returns whether there was such a name. */
  async untag(name: string): Promise<boolean> {
    const full = canonicalName(withDefaultTag(parseReference(name)))
    let found = false
    await this.change(entries => {
      found = entries.some(entry => entry.name === full)
      return withoutName(entries, full)
    })
    return found
  }

  /** Takes every entry of these manifests away, named or not; their blobs stay until they are collected. */
  async forget(manifestDigests: ReadonlySet<string>): Promise<void> {
    await this.change(entries => entries.filter(({ manifest }) => !manifestDigests.has(manifest.digest)))
  }

  /** Every name and every nameless image, oldest change first. */
  list(): Entry[] {
    const path = join(this.directory, 'index.json')
    let bytes: Buffer
    try {
      bytes = readFileSync(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
    const index = parseManifestOrIndex(bytes, path)
    return 'manifests' in index ? index.manifests.map(toEntry) : []
  }

  /**
   * The image a person means: a name, name@digest, an id or an unambiguous beginning of one; undefined where there is none,
   * or none for that platform. Throws MinictrError for an ambiguous beginning and for a text that can be none of these.
   * Source: Docker's order of look-up (a name wins over an id that looks alike).
   */
  find(text: string, platform?: Platform): Image | undefined {
    const entries = this.list()
    const candidates = /^sha256:[0-9a-f]{64}$/.test(text) ? [] : byReference(entries, text)
    const found = candidates[0] ? this.read(candidates[0], entries) : this.findById(entries, text)
    return found && (platform === undefined || suitsPlatform(found.config, platform)) ? found : undefined
  }

  /** As `find`, but throws ImageNotFoundError where the image is not here. */
  resolve(text: string, platform?: Platform): Image {
    const image = this.find(text, platform)
    if (image) return image
    const wanted = platform ? ` for ${platform.os}/${platform.architecture}` : ''
    throw new ImageNotFoundError(`No such image${wanted}: ${text}`, {
      remedy: `Pull it: minictr pull ${text}`,
    })
  }

  /** Removes every blob that is not in the set; returns the digests of those removed. Only for who collects garbage. */
  removeBlobsExcept(kept: ReadonlySet<string>): string[] {
    const blobs = join(this.directory, 'blobs')
    const found = filesIn(blobs).flatMap(algorithm =>
      filesIn(join(blobs, algorithm)).map(encoded => `${algorithm}:${encoded}`),
    )
    const removed = found.filter(digest => !kept.has(digest))
    for (const digest of removed) rmSync(this.blobPath(digest), { force: true })
    return removed
  }

  /** Removes what writers that were killed left; what a download can go on with stays. */
  removeTemporaryFiles(): void {
    const directory = join(this.directory, 'partial')
    for (const name of filesIn(directory))
      if (name.startsWith(TEMPORARY)) rmSync(join(directory, name), { force: true })
  }

  /** The image one entry stands for. Throws MinictrError where one of its JSON blobs is missing or damaged. */
  read(entry: Entry, entries: Entry[] = this.list()): Image {
    const { digest, size } = entry.manifest
    const manifest = parseManifest(this.readExact(digest, size), `The manifest ${digest}`)
    const config = parseImageConfig(
      this.readExact(manifest.config.digest, manifest.config.size),
      `The image configuration ${manifest.config.digest}`,
      manifest.layers.length,
    )
    const names = entries.flatMap(each => (each.name && each.manifest.digest === digest ? [each.name] : []))
    return { id: manifest.config.digest, digest, names, manifest, config, diffIds: config.rootfs.diff_ids }
  }

  private findById(entries: Entry[], text: string): Image | undefined {
    const match = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)
    if (!match) return undefined
    const prefix = `sha256:${match[1]}`
    const found = new Map<string, Image>()
    for (const entry of entries.filter(isImage)) {
      const image = this.read(entry, entries)
      if (image.id.startsWith(prefix) || image.digest === prefix) found.set(image.id, image)
    }
    if (found.size > 1) {
      throw new MinictrError(`The image id ${text} is ambiguous: ${[...found.keys()].join(', ')}`, {
        remedy: 'Give more of its digits.',
      })
    }
    return found.values().next().value
  }

  private readExact(digest: string, sizeBytes: number): Buffer {
    const bytes = this.readBlob(digest)
    if (bytes.length === sizeBytes) return bytes
    throw new MinictrError(`The blob ${digest} has ${bytes.length} bytes where ${sizeBytes} are due`, {
      remedy: `The file system lost data: remove ${this.blobPath(digest)} and pull the image again.`,
    })
  }

  /** Rewrites index.json under the lock that all writers take; readers see the old or the new file, never a mixture. */
  private async change(edit: (entries: Entry[]) => Entry[]): Promise<void> {
    this.prepare()
    const { withLock } = await import('../system/lock.ts')
    await withLock(join(this.directory, 'index.lock'), () => {
      const index: Index = {
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociIndex,
        manifests: edit(this.list()).map(toDescriptor),
      }
      const text = `${JSON.stringify(index, null, 2)}\n`
      replaceFile(
        join(this.directory, 'index.json'),
        join(this.directory, 'partial', 'index.json'),
        Buffer.from(text),
      )
    })
  }

  private prepare(): void {
    const layout = join(this.directory, 'oci-layout')
    if (existsSync(layout)) return
    mkdirSync(join(this.directory, 'blobs', 'sha256'), { recursive: true })
    mkdirSync(join(this.directory, 'partial'), { recursive: true, mode: 0o700 })
    const temporary = join(this.directory, 'partial', `oci-layout-${process.pid}`)
    replaceFile(layout, temporary, Buffer.from('{"imageLayoutVersion":"1.0.0"}\n'))
  }
}

/** Whether an entry is an image of its own; other tools put indexes of several here too. */
export function isImage({ manifest }: Entry): boolean {
  return !/index|manifest\.list/.test(manifest.mediaType)
}

function byReference(entries: Entry[], text: string): Entry[] {
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

function repositoryOf({ domain, path }: Reference): string {
  return `${domain}/${path}`
}

/** The entries without this name; an image whose last name it was stays as a nameless entry. */
function withoutName(entries: Entry[], name: string): Entry[] {
  const rest = entries.filter(entry => entry.name !== name)
  const lost = entries.filter(
    entry => entry.name === name && !rest.some(({ manifest }) => manifest.digest === entry.manifest.digest),
  )
  return [...rest, ...lost.map(({ manifest, repoDigest }) => ({ manifest, repoDigest }))]
}

function toEntry({ annotations, ...manifest }: Descriptor): Entry {
  return { name: annotations?.[REF_NAME], manifest, repoDigest: annotations?.[REPO_DIGEST] }
}

function toDescriptor({ name, manifest, repoDigest }: Entry): Descriptor {
  const annotations = {
    ...(name && { [REF_NAME]: name, [CONTAINERD_NAME]: name }),
    ...(repoDigest && { [REPO_DIGEST]: repoDigest }),
  }
  return { ...manifest, ...(Object.keys(annotations).length > 0 && { annotations }) }
}

function filesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : []
}

/** Writes a file beside its place, flushes it, and renames it: after a power cut there is the old file or the new one. */
function replaceFile(path: string, temporary: string, bytes: Uint8Array): void {
  const fd = openSync(temporary, 'w', 0o644)
  try {
    writeFileSync(fd, bytes)
    fsyncSync(fd)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, path)
}
