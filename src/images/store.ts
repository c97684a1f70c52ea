// The image store: a directory that is itself a valid OCI image layout, so that other tools read it as it is.

import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { MinictrError } from '../system/error.ts'
import { BlobStore, replaceFile, writeFlushed } from './blobs.ts'
import { type ImageConfig, isImageConfig, parseImageConfig } from './image-config.ts'
import { byReference, type Entry, isImage, toEntry, toIndex, withName, withoutName } from './index-entry.ts'
import { type Descriptor, type Manifest, parseManifest, parseManifestOrIndex } from './manifest.ts'
import { type Platform, suitsPlatform } from './platform.ts'
import { canonicalName, familiarName, parseReference, withDefaultTag } from './reference.ts'

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

/** An index.json that is whole and on the disk, and waits for its place. */
export type IndexDraft = { path: string; bytes: Buffer }

const DRAFT = 'index-'
/** Of the file of a draft; the number is its writer's PID. */
const DRAFT_NAME = new RegExp(`${DRAFT}(\\d+)-`)

/** There is no image of that name or id here. */
export class ImageNotFoundError extends MinictrError {}

/** The images of one root (`<root>/images`), by name and id. */
export class ImageStore extends BlobStore {
  /**
   * Names an image; a name that another image has moves. `repoDigest` is the digest under which the registry knows it
   * (the index's, where the image was chosen from one). The manifest, its configuration and layers are stored already.
   * Throws MinictrError for an invalid name.
   */
  async tag(name: string, manifest: Descriptor, repoDigest?: string, draft?: IndexDraft): Promise<void> {
    await this.change(entries => withName(entries, name, manifest, repoDigest), draft)
  }

  /**
   * Writes and flushes what index.json will be if `tag` is given the same and nobody changes it meanwhile: right after the files of its layers have
   * been made, flushing one more means waiting for all of them. To be removed by `removeDraft`.
   */
  draftTag(name: string, manifest: Descriptor, repoDigest?: string): IndexDraft {
    const bytes = toIndex(withName(this.list(), name, manifest, repoDigest))
    const path = this.temporaryPath(`${DRAFT}${process.pid}-`)
    writeFlushed(path, bytes)
    return { path, bytes }
  }

  /** Removes a draft, whether or not it was used, and those that killed processes have left. */
  removeDraft({ path }: IndexDraft): void {
    try {
      rmSync(path, { force: true })
      for (const name of readdirSync(dirname(path))) {
        const [, pid] = DRAFT_NAME.exec(name) ?? []
        if (pid && !existsSync(`/proc/${pid}`)) rmSync(join(dirname(path), name), { force: true })
      }
    } catch {
      // The next garbage collection takes what stays: it must not hide why a pull has failed, nor make one fail.
    }
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
    const found = candidates[0] ? this.read(candidates[0], entries) : this.findById(text)
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

  /**
   * Every image, with the entry it is found by. What other tools keep here besides (an index of several, an artifact that is
   * no image) is left out. Throws MinictrError as `read` does.
   */
  images(): [entry: Entry, image: Image][] {
    const entries = this.list()
    return entries.filter(isImage).flatMap(entry => {
      const manifest = this.manifestOf(entry)
      return isImageConfig(manifest) ? [[entry, this.imageOf(entry, manifest, entries)]] : []
    })
  }

  /** The image one entry stands for. Throws MinictrError where one of its JSON blobs is missing or damaged. */
  private read(entry: Entry, entries: Entry[]): Image {
    const manifest = this.manifestOf(entry)
    if (isImageConfig(manifest)) return this.imageOf(entry, manifest, entries)
    throw new MinictrError(
      `${entry.name ?? entry.manifest.digest} is no container image: its configuration is of the type ${manifest.config.mediaType}`,
      { remedy: 'Use it, or remove it, with the tool that put it here.' },
    )
  }

  private manifestOf(entry: Entry): Manifest {
    const { digest } = entry.manifest
    return this.readJson(entry.manifest, entry, bytes => parseManifest(bytes, `The manifest ${digest}`))
  }

  private imageOf(entry: Entry, manifest: Manifest, entries: Entry[]): Image {
    const { digest } = entry.manifest
    const { digest: id } = manifest.config
    const config = this.readJson(manifest.config, entry, bytes =>
      parseImageConfig(bytes, `The image configuration ${id}`, manifest.layers.length),
    )
    const names = entries.flatMap(each => (each.name && each.manifest.digest === digest ? [each.name] : []))
    return { id, digest, names, manifest, config, diffIds: config.rootfs.diff_ids }
  }

  /** Reads one of an entry's JSON blobs; an error says which file it is and how to come by a whole one. */
  private readJson<T>({ digest, size }: Descriptor, entry: Entry, parse: (bytes: Buffer) => T): T {
    try {
      const bytes = this.readBlob(digest)
      if (bytes.length === size) return parse(bytes)
      throw new MinictrError(`The blob ${digest} has ${bytes.length} bytes where ${size} are due`)
    } catch (error) {
      if (!(error instanceof MinictrError)) throw error
      throw new MinictrError(error.message, { remedy: this.replacing(digest, entry), cause: error })
    }
  }

  /** What to do about a damaged or missing blob, as a sentence that names its file. */
  private replacing(digest: string, { name, repoDigest }: Entry): string {
    const file = this.blobPath(digest)
    if (name === undefined || repoDigest === undefined) {
      return `Remove ${file} and make or pull the image again; what is whole is kept.`
    }
    const short = familiarName(parseReference(name))
    return `Fetch it again; what is whole is kept: rm -f ${file} && minictr pull ${short}`
  }

  private findById(text: string): Image | undefined {
    const match = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)
    if (!match) return undefined
    const prefix = `sha256:${match[1]}`
    const found = new Map<string, Image>()
    for (const [, image] of this.images()) {
      if (image.id.startsWith(prefix) || image.digest === prefix) found.set(image.id, image)
    }
    if (found.size > 1) {
      throw new MinictrError(`The image id ${text} is ambiguous: ${[...found.keys()].join(', ')}`, {
        remedy: 'Give more of its digits.',
      })
    }
    return found.values().next().value
  }

  /** Rewrites index.json under the lock that all writers take; readers see the old or the new file, never a mixture. */
  private async change(edit: (entries: Entry[]) => Entry[], draft?: IndexDraft): Promise<void> {
    this.prepare()
    const { withLock } = await import('../system/lock.ts')
    await withLock(join(this.directory, 'index.lock'), () => {
      const bytes = toIndex(edit(this.list()))
      const path = join(this.directory, 'index.json')
      if (!draft?.bytes.equals(bytes) || !isMoved(draft.path, path))
        replaceFile(path, join(this.directory, 'partial', 'index.json'), bytes)
    })
  }
}

/** Renames a draft to its place; false where it is gone: a process that cannot see its writer may have taken it for a dead one's. */
function isMoved(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
