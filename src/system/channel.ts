// How bytes reach the helper and come back: over a stream of Node's, or over a descriptor that was there from the start.

import { closeSync, read, readSync, writeSync } from 'node:fs'
import type { Duplex } from 'node:stream'

/** What a channel tells: bytes that have come, and that no more will. */
export type Listener = { received(bytes: Buffer): void; ended(): void }

export interface Channel {
  /** To be called once, before anything else. */
  listen(listener: Listener): void
  /** Sends all of it, or tells later that the channel has ended. */
  send(bytes: Buffer): void
  /** Sees to it that bytes are received until `isEnough`; may do so before it returns. */
  receiveUntil(isEnough: () => boolean, how: 'at-once' | 'some-time'): void
  close(): void
}

/** The end of a socket to a process that Node has spawned. It receives whether it is asked to or not. */
export class StreamChannel implements Channel {
  #stream: Duplex

  constructor(stream: Duplex) {
    this.#stream = stream
  }

  listen({ received, ended }: Listener): void {
    this.#stream.on('data', received)
    this.#stream.on('error', () => {}) // what follows is 'close'
    this.#stream.on('close', ended)
    this.#stream.on('end', ended)
  }

  send(bytes: Buffer): void {
    this.#stream.write(bytes)
  }

  receiveUntil(): void {}

  close(): void {
    this.#stream.destroy()
  }
}

const CHUNK_BYTES = 16 * 1024

/**
 * A socket that this process was started with. Answers that come at once are waited for in read(2) itself, which costs
 * a hundredth of what Node's streams do when they are used for the first time; only what may take any time leaves Node to
 * its other events.
 */
export class DescriptorChannel implements Channel {
  #fd: number
  #listener: Listener = { received: () => {}, ended: () => {} }
  #isOpen = true
  #isWaiting = false

  constructor(fd: number) {
    this.#fd = fd
  }

  listen(listener: Listener): void {
    this.#listener = listener
  }

  send(bytes: Buffer): void {
    try {
      for (let at = 0; this.#isOpen && at < bytes.length; ) at += writeSync(this.#fd, bytes, at)
    } catch {
      this.#end() // EPIPE: the helper has gone
    }
  }

  receiveUntil(isEnough: () => boolean, how: 'at-once' | 'some-time'): void {
    if (this.#isWaiting) return // whoever waits takes it all
    if (how === 'some-time') this.#wait(isEnough)
    else this.#receive(isEnough)
  }

  #receive(isEnough: () => boolean): void {
    while (this.#isOpen && !isEnough()) {
      const bytes = Buffer.allocUnsafe(CHUNK_BYTES)
      let sizeBytes = 0
      try {
        sizeBytes = readSync(this.#fd, bytes)
      } catch {
        // ECONNRESET: the helper went with something unread
      }
      this.#take(bytes, sizeBytes)
    }
  }

  #wait(isEnough: () => boolean): void {
    this.#isWaiting = this.#isOpen && !isEnough()
    if (!this.#isWaiting) return
    withFewThreads(() => this.#read(isEnough))
  }

  #read(isEnough: () => boolean): void {
    read(this.#fd, Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null, (error, sizeBytes, bytes) => {
      this.#take(bytes, error ? 0 : sizeBytes)
      this.#wait(isEnough)
    })
  }

  #take(bytes: Buffer, sizeBytes: number): void {
    if (sizeBytes === 0) this.#end()
    else this.#listener.received(bytes.subarray(0, sizeBytes))
  }

  #end(): void {
    this.close()
    this.#listener.ended()
  }

  close(): void {
    if (this.#isOpen) closeSync(this.#fd)
    this.#isOpen = false
  }
}

/**
 * Where `use` is the first to need libuv's threads, it gets two, not four: one to wait, one for all else. They start at
 * once, and end one after the other when this process ends.
 */
function withFewThreads(use: () => void): void {
  const variable = 'UV_THREADPOOL_SIZE'
  const isChosen = variable in process.env
  if (!isChosen) process.env[variable] = '2'
  use()
  if (!isChosen) delete process.env[variable]
}
