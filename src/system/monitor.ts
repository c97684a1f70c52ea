// The monitor from Node's side: the parent of a container, which stays when minictr has gone.

import type { ChildProcess } from 'node:child_process'
import type { Duplex, Readable } from 'node:stream'
import { type Channel, DescriptorChannel, StreamChannel } from './channel.ts'
import { isSocket } from './descriptors.ts'
import { type Arg, Executor, ended, type Stdio, spawnExecutor, spawnHelper } from './executor.ts'
import { signalName, type Unwritten, type WatchedEnd } from './wire.ts'

/** How the watched process ended; `status` is 128 + number where a signal ended it. `unwritten`: not all of its output came through. */
export type Exit = { status: number; signal: string | null; unwritten?: Unwritten }

/** What a wait status says (waitpid(2)). */
export function exitOf(waitStatus: number): Exit {
  const number = waitStatus & 0x7f
  if (number === 0) return { status: waitStatus >> 8, signal: null }
  return { status: 128 + number, signal: signalName(number) }
}

function endOf({ waitStatus, unwritten }: WatchedEnd): Exit {
  return { ...exitOf(waitStatus), ...(unwritten && { unwritten }) }
}

/** Where the launcher's monitor is: its PID, and the descriptors of its two sockets (native/beside.c). */
const launched = { variable: 'MINICTR_MONITOR', host: 3, init: 4 }

/**
 * The parent of a container: performs ops in the host's namespaces (`host`), forks the executor that becomes the
 * container (`init`, usable after the op spawn_init) and outlives this process where need be.
 */
export class Monitor {
  host: Executor
  init: Executor
  pid: number
  #child: ChildProcess | undefined

  constructor(pid: number, host: Channel, init: Channel, child?: ChildProcess) {
    this.pid = pid
    this.host = new Executor(host)
    this.init = new Executor(init)
    this.#child = child
  }

  /** Starts a monitor whose stdio is this process's own. Throws MinictrError where the helper is missing. */
  static spawn(options: { stdin: Stdio; stdout?: Stdio; stderr?: Stdio }): Monitor {
    const { stdin, stdout = 'inherit', stderr = 'inherit' } = options
    const child = spawnHelper('monitor', [stdin, stdout, stderr], 2)
    child.unref()
    const [, , , host, init] = child.stdio as unknown as Duplex[]
    return new Monitor(child.pid!, new StreamChannel(host!), new StreamChannel(init!), child)
  }

  /** Its standard output and error output, those of them that were asked for as pipes. */
  get output(): Readable[] {
    return [this.#child?.stdout, this.#child?.stderr].filter(stream => stream != null)
  }

  /** The monitor that the launcher started before this process became Node, if there is one, and nobody has taken it. */
  static ofLauncher(): Monitor | undefined {
    const pid = Number(process.env[launched.variable])
    delete process.env[launched.variable] // it is nobody else's, and not for the children of this process
    if (!pid || !isSocket(launched.host) || !isSocket(launched.init)) return undefined
    return new Monitor(pid, new DescriptorChannel(launched.host), new DescriptorChannel(launched.init))
  }

  /** One of the monitor's own ops (native/monitor.c); it is done before whatever it is asked or told afterwards. */
  tell(name: string, ...args: Arg[]): void {
    this.host.tell([{ name, args }])
  }

  /** Resolves when the watched process has ended and its output has been passed on; rejects if the monitor dies first. */
  async exit(): Promise<Exit> {
    const event = await this.host.watched()
    if (event === 'detached') throw new Error('detached: who may be is to wait for exitOrDetach()')
    return endOf(event)
  }

  /**
   * As `exit`; or resolves to `detached` when the keys for that have been typed (op detach_keys): then the terminal is this
   * process's again, and `disconnect` is what is left to do.
   */
  async exitOrDetach(): Promise<Exit | 'detached'> {
    const event = await this.host.watched()
    return event === 'detached' ? event : endOf(event)
  }

  /** Leaves the monitor to itself: it goes on until its container has ended. */
  disconnect(): void {
    this.init.close()
    this.host.close()
  }

  /**
   * Leaves it and waits until it has ended (not before its container has, or what was half made is killed). One that the
   * launcher started is not waited for.
   */
  async close(): Promise<void> {
    this.#child?.ref()
    this.disconnect()
    if (this.#child) await ended(this.#child)
  }
}

/** Who performs ops on the host for a command that starts no container. `close` resolves once it has ended. */
export type HostExecutor = { executor: Executor; close(): Promise<void> }

/**
 * The launcher's monitor, where there is one, else an executor started for it. Not `isAlone`, others are asked at the same time: then
 * this process must not wait in read(2) for the launcher's, which may take seconds to stop one of several containers.
 * Throws MinictrError where the helper is missing.
 */
export function hostExecutor({ isAlone = true } = {}): HostExecutor {
  const monitor = isAlone ? Monitor.ofLauncher() : undefined
  if (!monitor) return spawnExecutor()
  return { executor: monitor.host, close: () => monitor.close() }
}
