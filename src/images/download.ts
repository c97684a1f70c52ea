// The download of one blob: it grows in a partial file, goes on where it broke off, and can be read while it grows.

import { createHash, type Hash } from 'node:crypto'
import { closeSync, createReadStream, fstatSync, ftruncateSync, openSync, readSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeDirectories } from '../system/directory.ts'
import { MinictrError } from '../system/error.ts'
import { writeAll } from '../system/write-all.ts'
import type { Descriptor } from './manifest.ts'
import { release } from './piece.ts'
import type { BlobBody } from './repository.ts'
import { isTransient, retrying, TransientError } from './retry.ts'

const READ_SIZE_BYTES = 256 * 1024

export type BlobSource = {
  /** For errors: `debian`, `localhost:5000/a/b`. */
  name: string
  /** Opens the blob from a byte on, or from 0 where that is not possible. */
  open(digest: string, startBytes: number): Promise<BlobBody>
}

export type DownloadOptions = {
  source: BlobSource
  descriptor: Descriptor
  /** The partial file, this download's alone (a lock is the caller's). */
  path: string
  signal: AbortSignal
  onProgress(doneBytes: number): void
  onRetry(error: TransientError, delayMs: number): void
}

/** The bytes that came do not have the digest they were asked for. */
export class DamagedBlobError extends MinictrError {
  /** Whether some of them were from an earlier attempt, so that starting over may do. */
  wasResumed = false
}

/** One blob on its way into a partial file, from which others may read at the same time. */
export class Download {
  private readonly options: DownloadOptions
  /** The partial file, for appending and for reading what is there already, also after it has been renamed. */
  private readonly fd: number
  private readonly hash: Hash
  /** How much an earlier attempt had left. */
  resumedBytes = 0
  private writtenBytes = 0
  private registry = ''
  private finished = false
  private failure: unknown
  private wake: (() => void) | undefined

  constructor(options: DownloadOptions) {
    this.options = options
    this.hash = createHash(algorithmOf(options.descriptor))
    makeDirectories(dirname(options.path), 0o700)
    this.fd = openSync(options.path, 'a+')
  }

  /** Closes the file; to be called when neither `run` nor `follow` goes on. */
  close(): void {
    closeSync(this.fd)
  }

  /**
   * Fetches what is missing and resolves when the partial file is complete and verified; what an earlier attempt left
   * is kept. Throws DamagedBlobError (the file is gone then), or why the registry could not deliver (the file stays).
   */
  async run(): Promise<void> {
    try {
      await this.fetch()
      this.finished = true
    } catch (error) {
      this.failure = error
      throw error
    } finally {
      this.wake?.()
    }
  }

  /**
   * The blob's bytes from its beginning, as they arrive; ends when the blob has been verified and throws what `run`
   * throws, so nobody takes damaged bytes for the whole.
   */
  async *follow(): AsyncGenerator<Buffer, void, undefined> {
    for (let position = 0; ; ) {
      if (this.failure !== undefined) throw this.failure
      if (position < this.writtenBytes) {
        const chunk = Buffer.allocUnsafeSlow(Math.min(READ_SIZE_BYTES, this.writtenBytes - position))
        const count = readSync(this.fd, chunk, 0, chunk.length, position)
        position += count
        yield chunk.subarray(0, count)
      } else if (this.finished) {
        return
      } else {
        await new Promise<void>(resolve => {
          this.wake = resolve
        })
      }
    }
  }

  private async fetch(): Promise<void> {
    const { descriptor, signal, onRetry } = this.options
    await this.takeUp()
    const progress = () => this.writtenBytes
    if (this.writtenBytes < descriptor.size) {
      await retrying(() => this.fetchRest(), { progress, onRetry, signal })
    }
    this.verify()
  }

  /** Hashes what is here already. */
  private async takeUp(): Promise<void> {
    const { path, descriptor, onProgress } = this.options
    const { size } = fstatSync(this.fd)
    if (size > descriptor.size) ftruncateSync(this.fd, 0)
    else if (size > 0) {
      this.resumedBytes = size
      for await (const chunk of createReadStream(path, { highWaterMark: READ_SIZE_BYTES })) {
        this.hash.update(chunk)
        this.writtenBytes += chunk.length
      }
    }
    onProgress(this.writtenBytes)
  }

  /** One attempt at the rest; TransientError if the connection breaks. */
  private async fetchRest(): Promise<void> {
    const { source, descriptor } = this.options
    const { stream, startBytes, registry } = await source.open(descriptor.digest, this.writtenBytes)
    this.registry = registry
    // A registry that knows no ranges starts over; what we have already is passed over.
    let skipBytes = this.writtenBytes - startBytes
    const { socket } = stream
    await new Promise<void>((resolve, reject) => {
      const abort = () => stream.destroy(this.options.signal.reason)
      this.options.signal.addEventListener('abort', abort, { once: true })
      // Heard after Node's own listener, which has copied out of it what is the body's.
      socket.on('data', release)
      stream.on('data', (chunk: Buffer) => {
        const fresh = chunk.subarray(Math.min(skipBytes, chunk.length))
        skipBytes -= chunk.length - fresh.length
        try {
          if (fresh.length > 0) this.append(fresh)
          release(chunk)
        } catch (error) {
          stream.destroy(error as Error)
        }
      })
      stream.on('error', error => reject(this.broken(error)))
      stream.on('end', resolve)
      stream.on('close', () => {
        socket.off('data', release)
        this.options.signal.removeEventListener('abort', abort)
      })
    })
    if (this.writtenBytes < descriptor.size)
      throw this.broken(new Error('the registry ended the answer early'))
  }

  /** Written at once rather than in turns with other work: the page cache takes it, and nothing piles up in memory. */
  private append(chunk: Buffer): void {
    const { descriptor, path, onProgress } = this.options
    if (this.writtenBytes + chunk.length > descriptor.size) {
      throw this.damaged(`expected ${descriptor.size} bytes, got more`)
    }
    try {
      writeAll(this.fd, chunk)
    } catch (cause) {
      throw new MinictrError(`Cannot write ${path}: ${(cause as Error).message}`, {
        remedy: 'Make room there and pull again: it goes on where it stopped.',
        cause,
      })
    }
    this.hash.update(chunk)
    this.writtenBytes += chunk.length
    onProgress(this.writtenBytes)
    this.wake?.()
  }

  private verify(): void {
    const { digest } = this.options.descriptor
    const got = `${algorithmOf(this.options.descriptor)}:${this.hash.digest('hex')}`
    if (got === digest) return
    const origin =
      this.resumedBytes > 0
        ? ` (its first ${this.resumedBytes} bytes were here from an earlier download)`
        : ''
    const error = this.damaged(`expected ${digest}, got ${got}${origin}`)
    error.wasResumed = this.resumedBytes > 0
    throw error
  }

  private damaged(difference: string): DamagedBlobError {
    rmSync(this.options.path, { force: true })
    const { source, descriptor } = this.options
    const from = this.registry === '' ? '' : ` from registry ${this.registry}`
    return new DamagedBlobError(
      `Blob ${descriptor.digest} of ${source.name}${from} is damaged: ${difference}`,
      {
        remedy: 'Pull again; if it stays so, the registry or a proxy on the way holds wrong bytes.',
      },
    )
  }

  private broken(error: unknown): unknown {
    if (error instanceof MinictrError || this.options.signal.aborted || !isTransient(error)) return error
    const { source, descriptor } = this.options
    const message = `The connection to registry ${this.registry} broke after ${this.writtenBytes} of ${descriptor.size} bytes of blob ${descriptor.digest} of ${source.name}: ${(error as Error).message}`
    return new TransientError(message, { cause: error })
  }
}

function algorithmOf({ digest }: Descriptor): string {
  return digest.split(':')[0]!
}
