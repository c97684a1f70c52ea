// Blobs on the disk: files named by their digest, in the form of an OCI image layout. A file gets its name when it is
// verified and safely on the disk, never before.

import {
  closeSync,
  existsSync,
  fsync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { makeDirectories } from '../system/directory.ts'
import { MinictrError } from '../system/error.ts'
import type { Descriptor } from './manifest.ts'
import { assertDigest } from './reference.ts'

/** How the names of files begin whose digest is not known yet. */
const TEMPORARY = 'new-'

/** A blob or a layer that is gone, and the bytes that it took. */
export type RemovedContent = { digest: string; sizeBytes: number }

/** The blobs of one image store. */
export class BlobStore {
  readonly directory: string

  /** `directory` is made at the first write. */
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
  temporaryPath(kind = ''): string {
    this.prepare()
    const { randomUUID } = process.getBuiltinModule('node:crypto')
    return join(this.directory, 'partial', `${TEMPORARY}${kind}${randomUUID()}`)
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
      makeDirectories(dirname(path))
      replaceFile(path, this.temporaryPath(), bytes)
    }
    return { mediaType, digest, size: bytes.length }
  }

  /** Gives a file whose digest and size the caller has verified its place among the blobs, durably. */
  async commitBlob(digest: string, partialPath: string): Promise<void> {
    this.prepare()
    const path = this.blobPath(digest)
    makeDirectories(dirname(path))
    const fd = openSync(partialPath, 'r')
    try {
      // On the thread pool: the layer is still being unpacked. By way of node:fs/promises it would load as much as HTTP does.
      await promisify(fsync)(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(partialPath, path)
  }

  /** The bytes of a blob; 0 where it is not here. */
  blobSize(digest: string): number {
    return statSync(this.blobPath(digest), { throwIfNoEntry: false })?.size ?? 0
  }

  /** Removes every blob that is not in the set; returns those removed. Only for who collects garbage. */
  removeBlobsExcept(kept: ReadonlySet<string>): RemovedContent[] {
    const blobs = join(this.directory, 'blobs')
    const found = filesIn(blobs).flatMap(algorithm =>
      filesIn(join(blobs, algorithm)).map(encoded => `${algorithm}:${encoded}`),
    )
    const removed = found
      .filter(digest => !kept.has(digest))
      .map(digest => ({ digest, sizeBytes: this.blobSize(digest) }))
    for (const { digest } of removed) rmSync(this.blobPath(digest), { force: true })
    return removed
  }

  /** Removes what writers that were killed left; what a download can go on with stays. */
  removeTemporaryFiles(): void {
    const directory = join(this.directory, 'partial')
    for (const name of filesIn(directory))
      if (name.startsWith(TEMPORARY)) rmSync(join(directory, name), { force: true })
  }

  /** Makes the layout's directories and its mark (OCI image spec, image-layout.md), once. */
  protected prepare(): void {
    const layout = join(this.directory, 'oci-layout')
    if (existsSync(layout)) return
    makeDirectories(this.directory, 0o711) // as openDirectory of system/lock.ts makes it
    makeDirectories(join(this.directory, 'blobs', 'sha256'))
    makeDirectories(join(this.directory, 'partial'), 0o700)
    const temporary = join(this.directory, 'partial', `oci-layout-${process.pid}`)
    replaceFile(layout, temporary, Buffer.from('{"imageLayoutVersion":"1.0.0"}\n'))
  }
}

function filesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : []
}

/**
 * Writes a file beside its place, flushes it, and renames it: after a power cut there is the old file or the new one.
 * Throws the system's error.
 */
export function replaceFile(path: string, temporary: string, bytes: Uint8Array): void {
  writeFlushed(temporary, bytes)
  renameSync(temporary, path)
}

/** Writes a file and sees to it that it is on the disk; there is none where that fails. Throws the system's error. */
export function writeFlushed(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, 'w', 0o644)
  try {
    writeFileSync(fd, bytes)
    fsyncSync(fd)
  } catch (error) {
    rmSync(path, { force: true })
    // Unlike that of an open, the error of a write says nothing of the file.
    if (error instanceof Error) error.message += ` '${path}'`
    throw error
  } finally {
    closeSync(fd)
  }
}
