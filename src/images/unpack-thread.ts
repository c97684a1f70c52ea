// Unpacking on a thread of its own: half of a pull is writing files, half receiving, inflating and checking bytes, and Node
// does both at once only on two threads.

import { extname, join } from 'node:path'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { MinictrError } from '../system/error.ts'
import type { Layer } from './layer-stack.ts'
import type { LayerContent } from './unpack.ts'

/** What the thread is to unpack; `port` is where it asks for the bytes and answers. */
export type UnpackOrder = {
  directory: string
  /** The layers below, bottom first. */
  lower: Layer[]
  port: MessagePort
}

/** To the thread: the next bytes (null after the last), or that there will be no more. */
export type ToThread = { kind: 'bytes'; bytes: Uint8Array | null } | { kind: 'broken' }

/** From the thread: it can take another piece, it has the layer, or it cannot make it. */
export type FromThread =
  | { kind: 'wants'; doneBytes: number }
  | { kind: 'done'; content: LayerContent }
  | { kind: 'failed'; message: string; stack: string | undefined; forUser?: { remedy: string | undefined } }

export type UnpackOptions = {
  /** The layers below, bottom first, for what this one takes over from them. */
  lower: Layer[]
  signal?: AbortSignal
  /** Told how many bytes of the tar have been written out. */
  onProgress?: (doneBytes: number) => void
}

/**
 * Unpacks a layer's tar into `directory` as unpackTar does, on the thread. Pieces of the source that have their memory to
 * themselves give it away. Throws what unpackTar throws, what the source throws, or the signal's reason; nothing is
 * written any more then.
 */
export async function unpackOnThread(
  source: AsyncIterable<Uint8Array>,
  directory: string,
  { lower, signal, onProgress }: UnpackOptions,
): Promise<LayerContent> {
  const { port1: port, port2 } = new MessageChannel()
  const pieces = source[Symbol.asyncIterator]()
  const { promise, resolve, reject } = Promise.withResolvers<LayerContent>()
  let cause: unknown
  const breakOff = (reason: unknown) => {
    cause ??= reason
    post(port, { kind: 'broken' })
  }
  const give = async () => {
    try {
      const { value, done } = await pieces.next()
      post(port, { kind: 'bytes', bytes: done ? null : value })
    } catch (error) {
      breakOff(error)
    }
  }
  // One after the other: a piece is the source's again when the next is asked for.
  let given = Promise.resolve()
  port.on('message', (message: FromThread) => {
    if (message.kind === 'done') resolve(message.content)
    else if (message.kind === 'failed') reject(cause ?? rebuilt(message))
    else {
      onProgress?.(message.doneBytes)
      given = given.then(give)
    }
  })
  const abort = () => breakOff(signal!.reason)
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  const worker = startThread()
  worker.once('error', reject)
  worker.postMessage({ directory, lower, port: port2 } satisfies UnpackOrder, [port2])
  try {
    return await promise
  } finally {
    worker.off('error', reject)
    signal?.removeEventListener('abort', abort)
    port.close()
    // Not awaited: a source that waits for its registry ends when its own signal says so.
    pieces.return?.().catch(() => {})
  }
}

let running: Worker | undefined

/** The one thread of this process; it keeps no process alive that is done. Who will need it soon may start it early. */
export function startThread(): Worker {
  if (running) return running
  // Beside this file there is, in the sources and in the bundle, one that the thread begins with.
  const program = join(import.meta.dirname, `unpack-worker${extname(import.meta.filename)}`)
  // Node's own flags are about the program that was started.
  const worker = new Worker(program, { execArgv: [] })
  worker.unref()
  worker.setMaxListeners(0)
  const forget = () => {
    if (running === worker) running = undefined
  }
  worker.once('exit', forget)
  // Nobody may wait for it yet: who needs it then starts another, and is told what is wrong with that one.
  worker.once('error', forget)
  running = worker
  return worker
}

function post(port: MessagePort, message: ToThread): void {
  if (message.kind !== 'bytes' || message.bytes === null) {
    port.postMessage(message)
    return
  }
  // What has its memory to itself changes hands; a piece of something larger is copied, or all of that would be.
  const { bytes } = message
  const whole = bytes.byteLength === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes)
  port.postMessage({ kind: 'bytes', bytes: whole }, [whole.buffer as ArrayBuffer])
}

function rebuilt({ message, stack, forUser }: FromThread & { kind: 'failed' }): Error {
  const cause = Object.assign(new Error(message), { stack })
  return forUser ? new MinictrError(message, { remedy: forUser.remedy, cause }) : cause
}
