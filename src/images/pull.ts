// A pull: from a reference to an image in the store with its layers unpacked, doing only what is missing.

import { MinictrError } from '../system/error.ts'
import { whileBringing } from './collect.ts'
import type { Configuration } from './configuration.ts'
import { isImageConfig, parseImageConfig } from './image-config.ts'
import { LayerFetch } from './layer-fetch.ts'
import type { LayerStore } from './layers.ts'
import { type Descriptor, isIndex, type Manifest, MEDIA_TYPES, parseManifestOrIndex } from './manifest.ts'
import { choosePlatform, formatPlatform, hostPlatform, type Platform, suitsPlatform } from './platform.ts'
import type { Progress } from './progress.ts'
import { canonicalName, familiarName, type Reference, withoutIdleTag } from './reference.ts'
import { type FetchedManifest, Repository } from './repository.ts'
import type { ImageStore } from './store.ts'
import { Transport } from './transport.ts'
import { Turns } from './turns.ts'
import { startThread } from './unpack-thread.ts'

/** As many as Docker fetches at once. */
const PARALLEL_DOWNLOADS = 3

export type PullOptions = {
  store: ImageStore
  layers: LayerStore
  configuration: Configuration
  progress: Progress
  /** What `--platform` asks for; this machine's unless given. */
  platform?: Platform
}

export type PulledImage = {
  /** What was asked for, with its tag or digest. */
  reference: Reference
  /** The digest under which the registry knows it: the index's where there is one. */
  digest: string
  /** Whether anything had to be fetched or renamed. */
  isNew: boolean
}

/**
 * Pulls the image of a reference (tag or digest) into the store. Blobs and layers that are here are not fetched again, also
 * those an interrupted pull left; the name is given last, so that it never stands for half an image. Several pulls at
 * once share their work. Throws MinictrError. Source: distribution spec, "Pull".
 */
export async function pull(reference: Reference, options: PullOptions): Promise<PulledImage> {
  // At once, since the thread needs as long to start as this one to find out from the registry what is missing. Of an image
  // that is here already most likely nothing is.
  const name = canonicalName(withoutIdleTag(reference))
  if (!options.store.list().some(entry => entry.name === name)) startThread()
  const transport = new Transport(options.configuration)
  try {
    const repository = new Repository(reference, options.configuration, transport)
    return await whileBringing(options.store, () => new Pull(reference, options, repository).run())
  } finally {
    await transport.close()
  }
}

/** The tags of a repository, for `pull --all-tags`. Throws MinictrError. */
export async function listTags(reference: Reference, configuration: Configuration): Promise<string[]> {
  const transport = new Transport(configuration)
  try {
    return await new Repository(reference, configuration, transport).tags()
  } finally {
    await transport.close()
  }
}

class Pull {
  private readonly reference: Reference
  private readonly options: PullOptions
  private readonly repository: Repository
  private readonly abort = new AbortController()
  private readonly turns = new Turns(PARALLEL_DOWNLOADS)

  constructor(reference: Reference, options: PullOptions, repository: Repository) {
    this.reference = reference
    this.options = options
    this.repository = repository
    repository.onRetry = ({ message }, delayMs) => {
      const text = `${message}\nRetrying in ${Math.ceil(delayMs / 1000)} s`
      options.progress.report({ kind: 'message', text })
    }
  }

  async run(): Promise<PulledImage> {
    const { reference, repository } = this
    const { store, progress } = this.options
    const wanted = reference.digest ?? reference.tag!
    progress.report({ kind: 'message', text: `${wanted}: Pulling from ${reference.path}` })
    const top = await repository.manifest(wanted)
    const chosen = await this.choose(top)
    const { manifest } = chosen
    const configBytes = await this.readConfig(manifest)
    const config = parseImageConfig(
      configBytes,
      `The image configuration ${manifest.config.digest}`,
      manifest.layers.length,
    )
    this.checkPlatform(config)
    // What is flushed is flushed before the layers' files are there, for which the disk would have to be waited for as well.
    store.putBlob(configBytes, manifest.config.mediaType)
    store.putBlob(chosen.bytes, chosen.descriptor.mediaType)
    const name = withoutIdleTag(reference)
    const { digest } = top.descriptor
    const naming = [canonicalName(name), chosen.descriptor, digest] as const
    const draft = this.isNamed(...naming) ? undefined : store.draftTag(...naming)
    try {
      const fetched = await this.fetchLayers(manifest, config.rootfs.diff_ids)
      const isRenamed = !this.isNamed(...naming)
      if (isRenamed) await store.tag(...naming, draft)
      return { reference: name, digest, isNew: fetched || isRenamed }
    } finally {
      if (draft) store.removeDraft(draft)
    }
  }

  /** The manifest of the platform, where the registry has several. */
  private async choose(top: FetchedManifest): Promise<FetchedManifest & { manifest: Manifest }> {
    const what = `The manifest ${top.descriptor.digest} of ${familiarName(this.reference)}`
    const parsed = parseManifestOrIndex(top.bytes, what, top.descriptor.mediaType || undefined)
    if (!isIndex(parsed)) {
      const mediaType = top.descriptor.mediaType || parsed.mediaType || MEDIA_TYPES.ociManifest
      return { bytes: top.bytes, descriptor: { ...top.descriptor, mediaType }, manifest: parsed }
    }
    const platform = this.options.platform ?? hostPlatform()
    const descriptor = choosePlatform(parsed.manifests, platform)
    if (!descriptor) {
      const offered = parsed.manifests.flatMap(each => (each.platform ? [formatPlatform(each.platform)] : []))
      throw new MinictrError(`${familiarName(this.reference)} has no image for ${formatPlatform(platform)}`, {
        remedy: `It has: ${[...new Set(offered)].filter(text => text !== 'unknown/unknown').join(', ')}. Choose one with --platform.`,
      })
    }
    const inner = await this.repository.manifest(descriptor.digest)
    if (inner.descriptor.size !== descriptor.size) {
      throw new MinictrError(
        `The manifest ${descriptor.digest} has ${inner.descriptor.size} bytes where its index says ${descriptor.size}`,
      )
    }
    const manifest = parseManifestOrIndex(
      inner.bytes,
      `The manifest ${descriptor.digest}`,
      descriptor.mediaType,
    )
    if (isIndex(manifest))
      throw new MinictrError(
        `The index of ${familiarName(this.reference)} holds another index for its platform`,
      )
    return {
      bytes: inner.bytes,
      descriptor: { ...inner.descriptor, mediaType: descriptor.mediaType, platform: descriptor.platform },
      manifest,
    }
  }

  private async readConfig(manifest: Manifest): Promise<Buffer> {
    const { mediaType, digest, size } = manifest.config
    if (!isImageConfig(manifest)) {
      throw new MinictrError(
        `${familiarName(this.reference)} is no container image: its configuration is of the type ${mediaType}`,
      )
    }
    const { store } = this.options
    return store.hasBlob(digest, size) ? store.readBlob(digest) : this.repository.smallBlob(manifest.config)
  }

  /** An image that is not in an index may be for another machine; only who asked for a platform by name is refused it. */
  private checkPlatform(platform: Platform): void {
    const wanted = this.options.platform
    if (wanted && !suitsPlatform(platform, wanted)) {
      throw new MinictrError(
        `${familiarName(this.reference)} is for ${formatPlatform(platform)}, not for ${formatPlatform(wanted)}`,
      )
    }
  }

  /** Downloads three at a time and unpacks from the bottom up, both at once; resolves with whether anything was missing. */
  private async fetchLayers(manifest: Manifest, diffIds: string[]): Promise<boolean> {
    const layers = manifest.layers.map(
      (descriptor, index) =>
        new LayerFetch(
          { descriptor, diffId: diffIds[index]!, lowerDiffIds: diffIds.slice(0, index) },
          { ...this.options, repository: this.repository, turns: this.turns },
        ),
    )
    const missing = layers.filter(layer => !layer.isComplete())
    if (missing.length > 0) startThread()
    // The same layer may stand in a manifest twice: the second time it waits for the first.
    const first = layers.filter(
      (layer, index) => layers.findIndex(({ digest }) => digest === layer.digest) === index,
    )
    for (const layer of first) layer.tell(missing.includes(layer) ? 'Pulling fs layer' : 'Already exists')
    let below: Promise<void> = Promise.resolve()
    const tasks = missing.map(layer => {
      const lower = below
      const fetch = () => layer.fetch(lower, this.abort.signal)
      below = first.includes(layer) ? fetch() : lower.then(fetch)
      return below.catch(error => {
        // The first failure is the cause; what it tears down fails as well.
        if (!this.abort.signal.aborted) this.abort.abort(error)
      })
    })
    await Promise.all(tasks)
    this.abort.signal.throwIfAborted()
    return missing.length > 0
  }

  /** Whether the image has its name already. */
  private isNamed(name: string, manifest: Descriptor, digest: string): boolean {
    const known = this.options.store.list().find(entry => entry.name === name)
    return known?.manifest.digest === manifest.digest && known.repoDigest?.endsWith(`@${digest}`) === true
  }
}
