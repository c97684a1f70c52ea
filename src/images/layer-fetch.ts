// One layer of a pull: downloaded and unpacked at the same time, each only if nobody has done it yet.

import { createReadStream } from 'node:fs'
import { withLock } from '../system/lock.ts'
import { DamagedBlobError, Download } from './download.ts'
import type { LayerStore } from './layers.ts'
import type { Descriptor } from './manifest.ts'
import type { LayerState, Progress } from './progress.ts'
import { familiarRepository } from './reference.ts'
import type { Repository } from './repository.ts'
import type { TransientError } from './retry.ts'
import type { ImageStore } from './store.ts'
import type { Turns } from './turns.ts'

export type Layer = {
  descriptor: Descriptor
  diffId: string
  /** Of the layers below, bottom first. */
  lowerDiffIds: string[]
}

export type LayerFetchOptions = {
  store: ImageStore
  layers: LayerStore
  repository: Repository
  progress: Progress
  turns: Turns
}

/** What a pull does about one layer. */
export class LayerFetch {
  readonly digest: string
  private readonly layer: Layer
  private readonly options: LayerFetchOptions
  private isDownloaded = false

  constructor(layer: Layer, options: LayerFetchOptions) {
    this.digest = layer.descriptor.digest
    this.layer = layer
    this.options = options
  }

  /** Whether both the blob and the unpacked layer are here. */
  isComplete(): boolean {
    return this.hasBlob() && this.options.layers.has(this.layer.diffId, this.layer.lowerDiffIds)
  }

  /**
   * Brings blob and unpacked layer into the store. The layer is unpacked once `below` has resolved, while its bytes
   * arrive. Throws MinictrError, or the reason of the signal.
   */
  async fetch(below: Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await this.attempt(below, signal)
    } catch (error) {
      if (!(error instanceof DamagedBlobError && error.wasResumed)) throw error
      // What an earlier pull left was damaged: once more, from the first byte.
      await this.attempt(below, signal)
    }
    this.tell('Pull complete')
  }

  /** Reports what the layer is doing. */
  tell(state: LayerState, doneBytes?: number, detail?: string): void {
    const { size } = this.layer.descriptor
    const totalBytes = doneBytes === undefined ? undefined : size
    const layer = this.digest.split(':')[1]!.slice(0, 12)
    this.options.progress.report({ kind: 'layer', layer, state, doneBytes, totalBytes, detail })
  }

  private async attempt(below: Promise<void>, outer: AbortSignal): Promise<void> {
    const own = new AbortController()
    const signal = AbortSignal.any([outer, own.signal])
    const begun = Promise.withResolvers<Download | undefined>()
    const stored = this.options.turns.take(() => this.storeBlob(begun.resolve, signal))
    stored.catch(error => begun.reject(error))
    begun.promise.catch(() => {})
    const unpacked = this.unpack(begun.promise, below, signal)
    unpacked.catch(async error => {
      // Without the unpacker there is no use in downloading on, except to find out that it was given damaged leftovers.
      const begunDownload = await begun.promise.catch(() => undefined)
      if (!begunDownload?.resumedBytes) own.abort(error)
    })
    const [download, unpacking] = await Promise.allSettled([stored, unpacked])
    ;(await begun.promise.catch(() => undefined))?.close()
    // Where both failed, the download is the cause: the unpacker reads from it.
    for (const outcome of [download, unpacking]) if (outcome.status === 'rejected') throw outcome.reason
  }

  /** Downloads the blob unless it is here, or another pull is bringing it. */
  private async storeBlob(
    begin: (download: Download | undefined) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { store } = this.options
    const path = store.partialPath(this.digest)
    const bring = async () => {
      if (this.hasBlob()) return begin(undefined)
      const download = this.download(path, signal)
      begin(download)
      await download.run()
      this.isDownloaded = true
      this.tell('Download complete')
      await store.commitBlob(this.digest, path)
    }
    if (this.hasBlob()) return begin(undefined)
    await withLock(`${path}.lock`, bring, {
      signal,
      onWait: () => this.tell('Waiting', undefined, 'for another pull'),
    })
  }

  private download(path: string, signal: AbortSignal): Download {
    const { repository } = this.options
    return new Download({
      source: {
        name: familiarRepository(repository.reference),
        open: (digest, startBytes) => repository.openBlob(digest, startBytes),
      },
      descriptor: this.layer.descriptor,
      path,
      signal,
      onProgress: doneBytes => this.tell('Downloading', doneBytes),
      onRetry: (error, delayMs) => this.tellRetry(error, delayMs),
    })
  }

  private async unpack(
    begun: Promise<Download | undefined>,
    below: Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { layers, store } = this.options
    const { descriptor, diffId, lowerDiffIds } = this.layer
    await below
    const download = await begun
    signal.throwIfAborted()
    if (layers.has(diffId, lowerDiffIds)) return
    const source = download?.follow() ?? createReadStream(store.blobPath(descriptor.digest))
    await layers.unpack(this.counted(source), {
      mediaType: descriptor.mediaType,
      diffId,
      lowerDiffIds,
      signal,
    })
  }

  private async *counted(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    let doneBytes = 0
    for await (const chunk of source) {
      doneBytes += chunk.length
      yield chunk
      if (this.isDownloaded) this.tell('Extracting', doneBytes)
    }
  }

  private tellRetry(_error: TransientError, delayMs: number): void {
    this.tell('Retrying', undefined, `in ${Math.ceil(delayMs / 1000)} s`)
  }

  private hasBlob(): boolean {
    return this.options.store.hasBlob(this.digest, this.layer.descriptor.size)
  }
}
