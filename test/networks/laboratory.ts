// A laboratory of machines: network namespaces that nobody else sees, joined by veth pairs. Each is held by a process
// alone, so that the kernel takes everything away when that process ends, however it ends.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Answer, Lookup, Probe, Question } from './peer.ts'

/** Long enough for an answer over a veth pair on a busy machine; what is dropped costs all of it. */
const TIMEOUT_MS = 1_000

/** Why the laboratory cannot be built here, or false: to skip by. */
export function missingTools(...programs: string[]): string | false {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  const missing = ['ip', 'nsenter', 'unshare', ...programs].filter(
    program => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
  )
  return missing.length > 0 && `not installed: ${missing.join(', ')}`
}

const PEER = join(import.meta.dirname, 'peer.ts')

export class Machine {
  readonly pid: number
  readonly #process: ChildProcess
  /** Which of its namespaces a program enters, as flags of nsenter(1). */
  readonly #entered: string[]
  readonly #waiting = new Map<number, (found: string[] | string) => void>()
  #count = 0

  protected constructor(process: ChildProcess, entered = ['--net']) {
    this.#process = process
    this.#entered = entered
    this.pid = process.pid!
    process.on('message', ({ id, found }: Answer) => {
      this.#waiting.get(id)?.(found)
      this.#waiting.delete(id)
    })
  }

  /** A new namespace with its loopback up, whose process answers on port 80 which address it is asked from. */
  static async start(): Promise<Machine> {
    const machine = new Machine(await Machine.spawnPeer(['unshare', '--net'], ['answers']))
    machine.ip('link set lo up')
    return machine
  }

  /** A process that does so in the network namespace of another one: a server of a container, say. */
  static async beside(pid: number): Promise<Machine> {
    return new Machine(await Machine.spawnPeer(['nsenter', '--net', '--target', String(pid)], ['answers']))
  }

  /** Starts the process of a machine: `into` is a command that runs another one where the machine is. */
  protected static async spawnPeer(into: string[], args: string[] = []): Promise<ChildProcess> {
    const [program, ...words] = [...into, process.execPath, PEER, ...args]
    const child = spawn(program!, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const [said] = await Promise.race([once(child, 'message'), once(child, 'exit')])
    if (said !== 'ready') throw new Error(`${program} ended with ${said}`)
    return child
  }

  /** What starts a command in the namespace. */
  get entrance(): string[] {
    return ['nsenter', ...this.#entered, '--target', String(this.pid), '--']
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }

  /** Runs a program in the namespace; throws with what it said where it fails. */
  run(program: string, args: string[], input = ''): string {
    const { status, stdout, stderr } = this.try(program, args, input)
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}\n${input}\n${stderr}`)
    return stdout
  }

  try(program: string, args: string[], input = '') {
    const [enter, ...words] = [...this.entrance, program, ...args]
    return spawnSync(enter!, words, { input, encoding: 'utf8' })
  }

  /** Commands of ip(8), one a line. */
  ip(commands: string): void {
    this.run('ip', ['-batch', '-'], commands)
  }

  /** Loads a text into the packet filter. */
  nft(text: string): void {
    this.run('nft', ['-f', '-'], text)
  }

  /** Writes settings below /proc/sys/net. */
  sysctl(settings: Record<string, string | number>): void {
    for (const [name, value] of Object.entries(settings)) {
      this.run('tee', [`/proc/sys/net/${name}`], String(value))
    }
  }

  /** Asks another machine under which address it sees this one: that address, the name of an error, or `no answer`. */
  async ask(host: string, port = 80, protocol: Probe['protocol'] = 'tcp'): Promise<string> {
    return String(await this.#find({ probe: { protocol, host, port, timeoutMs: TIMEOUT_MS } }))
  }

  /** Asks a DNS server of this machine: what it answers, or the name of an error. */
  resolve(name: string, type: Lookup['type'], server = '172.18.0.1'): Promise<string[] | string> {
    return this.#find({ lookup: { server, name, type } })
  }

  #find(what: { probe: Probe } | { lookup: Lookup }): Promise<string[] | string> {
    const id = this.#count++
    return new Promise(resolve => {
      this.#waiting.set(id, resolve)
      this.#process.send({ id, ...what } satisfies Question)
    })
  }
}

/** Joins two machines by a veth pair whose ends are up. */
export function connect(a: Machine, nameAtA: string, b: Machine, nameAtB: string): void {
  a.ip(`link add ${nameAtA} type veth peer name ${nameAtB} netns ${b.pid}\nlink set ${nameAtA} up`)
  b.ip(`link set ${nameAtB} up`)
}
