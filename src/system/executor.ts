// The native helper from Node's side: an executor that performs batches of ops in order.
//
// A batch is one write and one read. A batch that ends in execve is answered by the socket closing.

import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { type Channel, StreamChannel } from './channel.ts'
import { MinictrError } from './error.ts'
import { openFileLimit, processLimit } from './exhaustion.ts'
import { type Answer, type Call, decodeFrame, encodeRequest, type Frame, type WatchedEnd } from './wire.ts'

export type { Answer, Arg, Call } from './wire.ts'

/** What a batch gave: the answers up to the first failure; `closed`: the conversation ended in it (execve, or a death). */
export type Performance = { answers: Answer[]; closed: boolean }

/** A socket takes more than this before anybody reads from it (socket(7), wmem_default). */
const AHEAD_BYTES = 64 * 1024

type Batch = { answers: Answer[]; isAnswered: boolean; resolve: (performance: Performance) => void }

/** A conversation with an executor process. Batches are performed in the order they were sent. */
export class Executor {
  #channel: Channel
  #event = Promise.withResolvers<WatchedEnd | 'detached'>()
  #isEventDue = true
  /** Sent and not wholly answered, oldest first. */
  #batches: Batch[] = []
  #chunks: Buffer[] = []
  #sizeBytes = 0
  #wantedBytes = 4
  #closed = false

  constructor(channel: Channel) {
    this.#channel = channel
    this.#event.promise.catch(() => {}) // nobody need wait for it
    channel.listen({ received: chunk => this.#receive(chunk), ended: () => this.#end() })
  }

  /**
   * Performs the calls in order until one fails. Further batches may be sent before this one is answered; they are
   * performed after it, whether it failed or not. Throws TypeError for an errno name that is none.
   */
  perform(calls: Call[]): Promise<Performance> {
    return this.#begin(encodeRequest(calls))()
  }

  /** As `perform` in two parts: sends the calls, and returns what waits for the answers. */
  begin(calls: Call[]): () => Promise<Performance> {
    return this.#begin(encodeRequest(calls))
  }

  /**
   * As `begin`, for an executor that does not read yet. Sends nothing and returns undefined where it is too much to lie in
   * the socket till then.
   */
  beginAhead(calls: Call[]): (() => Promise<Performance>) | undefined {
    const frame = encodeRequest(calls)
    return frame.length > AHEAD_BYTES ? undefined : this.#begin(frame)
  }

  #begin(frame: Buffer): () => Promise<Performance> {
    const { promise, resolve } = Promise.withResolvers<Performance>()
    const batch = this.#send(frame, resolve)
    return () => {
      this.#channel.receiveUntil(() => batch.isAnswered, 'at-once')
      return promise
    }
  }

  /** As `perform`, where nobody needs to know when it is done, or how. */
  tell(calls: Call[]): void {
    this.#send(encodeRequest(calls), () => {})
  }

  #send(frame: Buffer, resolve: Batch['resolve']): Batch {
    const batch: Batch = { answers: [], isAnswered: false, resolve }
    this.#batches.push(batch)
    if (this.#closed) this.#finish(batch, true)
    else this.#channel.send(frame)
    return batch
  }

  /**
   * Resolves to the end of the process that a monitor watches, when it has ended, or to `detached` when the keys
   * for that have been typed; rejects if the monitor ends first.
   */
  watched(): Promise<WatchedEnd | 'detached'> {
    this.#channel.receiveUntil(() => !this.#isEventDue, 'some-time')
    return this.#event.promise
  }

  /** Ends the conversation: the executor process ends by itself. */
  close(): void {
    this.#channel.close()
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#sizeBytes += chunk.length
    while (this.#sizeBytes >= this.#wantedBytes) {
      const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
      const endBytes = 4 + bytes.readUInt32LE(0)
      this.#chunks = [bytes]
      this.#wantedBytes = endBytes
      if (bytes.length < endBytes) return
      this.#chunks = bytes.length > endBytes ? [bytes.subarray(endBytes)] : []
      this.#sizeBytes -= endBytes
      this.#wantedBytes = 4
      this.#take(decodeFrame(bytes.subarray(4, endBytes)))
    }
  }

  #take(frame: Frame): void {
    if (frame.kind !== 'answers') {
      this.#isEventDue = false
      this.#event.resolve(frame.kind === 'exit' ? frame : 'detached')
      return
    }
    const batch = this.#batches[0]
    batch?.answers.push(...frame.answers)
    if (frame.last && batch) this.#finish(batch, false)
  }

  #finish(batch: Batch, closed: boolean): void {
    this.#batches.splice(this.#batches.indexOf(batch), 1)
    batch.isAnswered = true
    batch.resolve({ answers: batch.answers, closed })
  }

  #end(): void {
    this.#closed = true
    this.#isEventDue = false
    this.#event.reject(monitorLost())
    for (const batch of [...this.#batches]) this.#finish(batch, true)
  }
}

/** The error where a monitor ends before the process that it watches. */
export function monitorLost(): MinictrError {
  return new MinictrError('the monitor ended before its container', {
    remedy: 'Something killed it; `minictr system recover` undoes what it can no longer undo.',
  })
}

/** Where the helper lies: beside the bundle, or in dist/ of the project whose sources are being run. */
export function helperPath(): string {
  const fromSources = import.meta.filename.endsWith('.ts')
  return join(import.meta.dirname, fromSources ? '../../dist' : '.', 'minictr-helper')
}

export type Stdio = 'inherit' | 'ignore' | 'pipe' | number

/** Starts the helper, with so many sockets after its stdio. Throws MinictrError where it is missing. */
export function spawnHelper(
  role: 'init' | 'monitor',
  stdio: [Stdio, Stdio, Stdio],
  sockets: number,
): ChildProcess {
  const path = helperPath()
  // Loaded here because it costs milliseconds that `run`, whose monitor was started before Node, does not owe.
  const { spawn } = process.getBuiltinModule('node:child_process')
  const child = spawn(path, [role], {
    stdio: [...stdio, ...Array(sockets).fill('pipe')],
    env: {},
    detached: role === 'monitor',
  })
  if (child.pid === undefined) throw notStarted(child, path)
  return child
}

/**
 * Starts a process of its own that sleeps and then becomes this program, its stdio nothing; returns its PID. Throws MinictrError
 * where the helper is missing.
 */
export function spawnLater(delayMs: number, command: string[]): number {
  const path = helperPath()
  const { spawn } = process.getBuiltinModule('node:child_process')
  const args = ['later', String(Math.round(delayMs)), ...command]
  const child = spawn(path, args, { stdio: 'ignore', detached: true })
  if (child.pid === undefined) throw notStarted(child, path)
  child.unref()
  return child.pid
}

function notStarted(child: ChildProcess, path: string): MinictrError {
  child.on('error', () => {})
  if (!existsSync(path)) {
    return new MinictrError(`the native helper ${path} is not there`, { remedy: 'Build it: npm run build' })
  }
  const reason = openFileLimit() ?? processLimit()
  return new MinictrError(`cannot start the native helper ${path}: ${reason}`, {
    remedy: 'Raise the limit, or end something else first.',
  })
}

/** Resolves when a process has ended. */
export function ended(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.on('exit', () => resolve())
  })
}

/** An executor process by itself, for unpacking, undoing and prompts. `close` resolves once it has ended. */
export type LoneExecutor = { executor: Executor; pid: number; close(): Promise<void> }

/** Starts an executor by itself. Throws MinictrError where the helper is missing. */
export function spawnExecutor(stdio: [Stdio, Stdio, Stdio] = ['ignore', 'inherit', 'inherit']): LoneExecutor {
  const child = spawnHelper('init', stdio, 1)
  const executor = new Executor(new StreamChannel(child.stdio[3] as Duplex))
  const end = ended(child)
  return {
    executor,
    pid: child.pid!,
    close() {
      executor.close()
      return end
    },
  }
}
