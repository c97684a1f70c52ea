// The native helper from Node's side: an executor that performs batches of ops in order, alone or kept by a monitor.
//
// A batch is one write and one read. A batch that ends in execve is answered by the socket closing.

import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { MinictrError } from './error.ts'
import {
  type Answer,
  type Arg,
  type Call,
  decodeFrame,
  encodeRequest,
  type Frame,
  signalName,
} from './wire.ts'

export type { Answer, Arg, Call } from './wire.ts'

/** What a batch gave: the answers up to the first failure; `closed`: the conversation ended in it (execve, or a death). */
export type Performance = { answers: Answer[]; closed: boolean }

type Batch = { answers: Answer[]; resolve: (performance: Performance) => void }

/** A conversation with an executor process over a stream socket. Batches are performed in the order they were sent. */
export class Executor {
  #socket: Duplex
  #onExit: ((waitStatus: number) => void) | undefined
  /** Sent and not wholly answered, oldest first. */
  #batches: Batch[] = []
  #chunks: Buffer[] = []
  #sizeBytes = 0
  #wantedBytes = 4
  #closed = false

  /** `onExit` is told the wait status of the process a monitor watches. */
  constructor(socket: Duplex, onExit?: (waitStatus: number) => void) {
    this.#socket = socket
    this.#onExit = onExit
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', () => {}) // what follows is 'close'; the caller learns of it as `closed`
    socket.on('close', () => this.#end())
    socket.on('end', () => this.#end())
  }

  /**
   * Performs the calls in order until one fails. Further batches may be sent before this one is answered; they are
   * performed after it, whether it failed or not. Throws TypeError for an errno name that is none.
   */
  async perform(calls: Call[]): Promise<Performance> {
    const frame = encodeRequest(calls)
    if (this.#closed) return { answers: [], closed: true }
    this.#socket.write(frame)
    return new Promise(resolve => this.#batches.push({ answers: [], resolve }))
  }

  /** Ends the conversation: the executor process ends by itself. */
  close(): void {
    this.#socket.destroy()
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
    if (frame.kind === 'exit') {
      this.#onExit?.(frame.waitStatus)
      return
    }
    const batch = this.#batches[0]
    batch?.answers.push(...frame.answers)
    if (frame.last) this.#batches.shift()?.resolve({ answers: batch!.answers, closed: false })
  }

  #end(): void {
    this.#closed = true
    for (const { answers, resolve } of this.#batches.splice(0)) resolve({ answers, closed: true })
  }
}

/** Where the helper lies: beside the bundle, or in dist/ of the project whose sources are being run. */
export function helperPath(): string {
  const fromSources = import.meta.filename.endsWith('.ts')
  return join(import.meta.dirname, fromSources ? '../../dist' : '.', 'minictr-helper')
}

type Stdio = 'inherit' | 'ignore' | number

function spawnHelper(role: 'init' | 'monitor', stdio: [Stdio, Stdio, Stdio], sockets: number): ChildProcess {
  const path = helperPath()
  const child = spawn(path, [role], {
    stdio: [...stdio, ...Array(sockets).fill('pipe')],
    env: {},
    detached: role === 'monitor',
  })
  if (child.pid === undefined) {
    child.on('error', () => {})
    throw new MinictrError(`cannot start the native helper ${path}`, { remedy: 'Build it: npm run build' })
  }
  return child
}

/** Resolves to how a process ended. */
function ended(child: ChildProcess): Promise<void> {
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
  const executor = new Executor(child.stdio[3] as Duplex)
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

/** How the watched process ended; `status` is 128 + number where a signal ended it. */
export type Exit = { status: number; signal: string | null }

function exitOf(waitStatus: number): Exit {
  const number = waitStatus & 0x7f
  if (number === 0) return { status: waitStatus >> 8, signal: null }
  return { status: 128 + number, signal: signalName(number) }
}

/**
 * The parent of a container: performs ops in the host's namespaces (`host`), forks the executor that becomes the
 * container (`init`, usable after the op spawn_init) and outlives this process where need be.
 */
export class Monitor {
  host: Executor
  init: Executor
  pid: number
  /** Resolves when the watched process has ended and its output has been passed on; rejects if the monitor dies first. */
  exited: Promise<Exit>
  #child: ChildProcess

  constructor(child: ChildProcess) {
    const exit = Promise.withResolvers<Exit>()
    this.pid = child.pid!
    this.host = new Executor(child.stdio[3] as Duplex, waitStatus => exit.resolve(exitOf(waitStatus)))
    this.init = new Executor(child.stdio[4] as Duplex)
    this.exited = exit.promise
    this.exited.catch(() => {}) // nobody need wait for it
    this.#child = child
    ended(child).then(() =>
      exit.reject(new MinictrError(`the monitor (process ${this.pid}) ended before its container`)),
    )
    child.unref()
  }

  /** Starts a monitor whose stdio is this process's own. Throws MinictrError where the helper is missing. */
  static spawn(options: { stdin: Stdio; stdout?: Stdio; stderr?: Stdio }): Monitor {
    const { stdin, stdout = 'inherit', stderr = 'inherit' } = options
    return new Monitor(spawnHelper('monitor', [stdin, stdout, stderr], 2))
  }

  /** One of the monitor's own ops (native/monitor.c); an error number is not an error of the caller's. */
  async ask(name: string, ...args: Arg[]): Promise<void> {
    await this.host.perform([{ name, args }])
  }

  /** Leaves the monitor to itself: it goes on until its container has ended. */
  disconnect(): void {
    this.init.close()
    this.host.close()
  }

  /** Leaves it and waits until it has ended (not before its container has, or what was half made is killed). */
  close(): Promise<void> {
    this.#child.ref()
    this.disconnect()
    return ended(this.#child)
  }
}
