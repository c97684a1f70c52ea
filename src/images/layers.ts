// The layer store: every layer unpacked once, under its diff id, and believed only where it is certainly complete.

import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { makeDirectories } from '../system/directory.ts'
import { MinictrError } from '../system/error.ts'
import type { RemovedContent } from './blobs.ts'
import type { Layer } from './layer-stack.ts'
import { assertDigest } from './reference.ts'

/** What stands beside an unpacked layer, in layer.json. */
export type LayerRecord = {
  diffId: string
  /** The boot in which it was unpacked. */
  bootId: string
  sizeBytes: number
  /** Paths of its opaque directories, for readers that see no extended attributes. */
  opaque: string[]
}

export type UnpackRequest = {
  mediaType: string
  diffId: string
  /** The diff ids of the layers below, bottom first; these are unpacked already. */
  lowerDiffIds: string[]
  /** What to do where the bytes turn out wrong, if the image itself is not to blame. */
  remedy?: string
  signal?: AbortSignal
  /** Told how many bytes of the tar have been written out. */
  onProgress?: (doneBytes: number) => void
}

const RECORD = 'layer.json'
const CONTENT = 'fs'
/** Present once the layer is known to be on the disk and not only in memory. */
const SETTLED = 'settled'
const UNFINISHED = '.unpacking-'
/** When the kernel has long begun to write out what it has in memory (dirty_expire_centisecs, proc_sys_vm(5)). */
export const SETTLING_AGE_MS = 60_000

/** The unpacked layers of one root. */
export class LayerStore {
  readonly directory: string

  /** `directory` is `<root>/layers`; it is made at the first write. */
  constructor(directory: string) {
    this.directory = directory
  }

  /** Whether the layer is unpacked and whole. `lowerDiffIds` are those of the layers below, bottom first. */
  has(diffId: string, lowerDiffIds: string[] = []): boolean {
    return this.layer(diffId, lowerDiffIds) !== undefined
  }

  /** Whether every layer of an image is. */
  hasAll({ diffIds }: { diffIds: string[] }): boolean {
    return diffIds.every((diffId, index) => this.has(diffId, diffIds.slice(0, index)))
  }

  /** The unpacked layer; undefined where it has to be unpacked (again). */
  layer(diffId: string, lowerDiffIds: string[] = []): Layer | undefined {
    const own = this.layerAt(this.keyOf(diffId))
    if (own || lowerDiffIds.length === 0) return own
    return this.layerAt(chainKey([...lowerDiffIds, diffId]))
  }

  /** The layers of an image, bottom first. Throws MinictrError where one is missing. */
  layersOf({ diffIds }: { diffIds: string[] }): Layer[] {
    return diffIds.map((diffId, index) => {
      const layer = this.layer(diffId, diffIds.slice(0, index))
      if (layer) return layer
      throw new MinictrError(`The layer ${diffId} is not unpacked in ${this.directory}`, {
        remedy: 'Pull the image again; what is there already is not fetched twice.',
      })
    })
  }

  /**
   * Unpacks a layer from its (compressed) bytes, verifies its diff id and gives it its place; nothing is done where it is
   * here already or another process brings it. Throws MinictrError naming the layer and the entry; nothing is left then.
   */
  async unpack(source: AsyncIterable<Uint8Array>, request: UnpackRequest): Promise<void> {
    const { diffId, lowerDiffIds } = request
    const unfinished = join(this.directory, UNFINISHED + this.keyOf(diffId))
    const { withLock } = await import('../system/lock.ts')
    // Setuid programs of images are not for this host's users, so nobody else may even pass through.
    makeDirectories(this.directory, 0o700)
    await withLock(`${unfinished}.lock`, async () => {
      if (this.has(diffId, lowerDiffIds)) return
      try {
        rmSync(unfinished, { recursive: true, force: true })
        await this.unpackInto(unfinished, source, request)
      } catch (error) {
        rmSync(unfinished, { recursive: true, force: true })
        throw named(error, request)
      }
    })
  }

  /** The names that the layers of an image may have here: by diff id or by chain id. */
  keysOf(diffIds: string[]): string[] {
    return diffIds.flatMap((diffId, index) => [this.keyOf(diffId), chainKey(diffIds.slice(0, index + 1))])
  }

  /** The name of the layer that has this path. */
  keyOfPath(path: string): string {
    return basename(dirname(path))
  }

  /**
   * Removes all layers but those of these names, and what killed unpackers left; returns the layers removed. Only for who
   * collects garbage.
   */
  removeExcept(keys: ReadonlySet<string>): RemovedContent[] {
    if (!existsSync(this.directory)) return []
    const doomed = readdirSync(this.directory).filter(name => !keys.has(name))
    const removed = doomed
      .filter(name => !name.startsWith(UNFINISHED))
      .map(name => ({
        digest: `sha256:${name}`,
        sizeBytes: readRecord(join(this.directory, name))?.sizeBytes ?? 0,
      }))
    for (const name of doomed) {
      const path = join(this.directory, name)
      // Renamed first: half a layer is never left under the name of a whole one.
      const aside = name.startsWith(UNFINISHED) ? path : join(this.directory, `${UNFINISHED}removed-${name}`)
      if (aside !== path) renameSync(path, aside)
      rmSync(aside, { recursive: true, force: true })
    }
    return removed
  }

  /** Bytes of the files of an image's layers, as far as they are unpacked. */
  sizeOf(image: { diffIds: string[] }): number {
    return this.sizesOf(image).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }

  /** The same for each layer of an image, bottom first, with the name it has here; 0 for one that is not unpacked. */
  sizesOf({ diffIds }: { diffIds: string[] }): { key: string; sizeBytes: number }[] {
    return diffIds.map((diffId, index) => {
      const keys = [this.keyOf(diffId), chainKey(diffIds.slice(0, index + 1))]
      for (const key of keys) {
        const record = readRecord(join(this.directory, key))
        if (record) return { key, sizeBytes: record.sizeBytes }
      }
      return { key: keys[0]!, sizeBytes: 0 }
    })
  }

  /**
   * Flushes the layers of this boot to the disk and notes it, so that they are believed after a reboot. Only layers older
   * than `minimumAgeMs` count: the kernel has written most of them by then. Nothing is noted where flushing fails.
   */
  async settle(minimumAgeMs = 0): Promise<void> {
    const unsettled = this.unsettled(Date.now() - minimumAgeMs)
    if (unsettled.length === 0) return
    const { spawnExecutor } = await import('../system/executor.ts')
    const { executor, close } = spawnExecutor()
    const { answers } = await executor.perform([{ name: 'syncfs', args: [this.directory] }])
    await close()
    if (answers[0] === undefined || answers[0].errno !== undefined) return
    for (const directory of unsettled) writeFileSync(join(directory, SETTLED), '')
  }

  private unsettled(beforeMs: number): string[] {
    if (!existsSync(this.directory)) return []
    const names = readdirSync(this.directory).filter(name => !name.startsWith('.'))
    return names
      .map(name => join(this.directory, name))
      .filter(
        directory =>
          !existsSync(join(directory, SETTLED)) &&
          readRecord(directory)?.bootId === bootId() &&
          statSync(join(directory, RECORD)).mtimeMs <= beforeMs,
      )
  }

  private async unpackInto(
    unfinished: string,
    source: AsyncIterable<Uint8Array>,
    request: UnpackRequest,
  ): Promise<void> {
    const [{ layerTar }, { unpackOnThread }] = await Promise.all([
      import('./layer-tar.ts'),
      import('./unpack-thread.ts'),
    ])
    const { diffId, mediaType, lowerDiffIds } = request
    const content = join(unfinished, CONTENT)
    makeDirectories(content, 0o755)
    const lower = this.layersOf({ diffIds: lowerDiffIds })
    const { sizeBytes, opaque, dependsOnLower } = await unpackOnThread(
      layerTar(source, mediaType, diffId),
      content,
      { ...request, lower },
    )
    const record: LayerRecord = { diffId, bootId: bootId(), sizeBytes, opaque }
    writeFileSync(join(unfinished, RECORD), JSON.stringify(record))
    const path = join(
      this.directory,
      dependsOnLower ? chainKey([...lowerDiffIds, diffId]) : this.keyOf(diffId),
    )
    // What stands there now is of an earlier boot and not believed.
    rmSync(path, { recursive: true, force: true })
    renameSync(unfinished, path)
  }

  private layerAt(key: string): Layer | undefined {
    const directory = join(this.directory, key)
    const record = believedRecord(directory)
    return record && { path: join(directory, CONTENT), opaque: record.opaque }
  }

  private keyOf(diffId: string): string {
    assertDigest(diffId)
    return diffId.slice(diffId.indexOf(':') + 1)
  }
}

/** Whether the layer whose content is at this path is unpacked and whole. */
export function isWhole(contentPath: string): boolean {
  return believedRecord(dirname(contentPath)) !== undefined
}

/** The layer whose content is at this path, as a container's overlay names it. */
export function layerOfContent(path: string): Layer {
  return { path, opaque: readRecord(dirname(path))?.opaque ?? [] }
}

/** Bytes of the files of the layer whose content is at this path; 0 where that is not known. */
export function sizeOfContent(path: string): number {
  return readRecord(dirname(path))?.sizeBytes ?? 0
}

/** Undefined where a power cut may have kept the layer from the disk. */
function believedRecord(directory: string): LayerRecord | undefined {
  const record = readRecord(directory)
  const isBelieved = record?.bootId === bootId() || existsSync(join(directory, SETTLED))
  return isBelieved ? record : undefined
}

/** Undefined where there is none, or where a power cut has left half of one. */
function readRecord(directory: string): LayerRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, RECORD), 'utf8')) as LayerRecord
  } catch (error) {
    // Who may not look cannot say that there is none.
    if ((error as NodeJS.ErrnoException).code === 'EACCES') throw error
    return undefined
  }
}

/**
 * The chain id of a stack of layers as hex: the key of a layer that takes something over from those below.
 * Source: OCI image spec, config.md, "Layer ChainID".
 */
function chainKey(diffIds: string[]): string {
  const { hash } = process.getBuiltinModule('node:crypto')
  return diffIds.reduce((chain, diffId) => `sha256:${hash('sha256', `${chain} ${diffId}`)}`).split(':')[1]!
}

let knownBootId: string | undefined

/** A new one for each start of the kernel (random(4)). */
function bootId(): string {
  knownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return knownBootId
}

function named(error: unknown, { diffId, remedy }: UnpackRequest): unknown {
  if (!(error instanceof MinictrError)) return error
  return new MinictrError(`Cannot unpack the layer ${diffId}: ${error.message}`, {
    remedy: error.remedy ?? remedy ?? 'The image is damaged or hostile; nothing of this layer was kept.',
    cause: error,
  })
}
