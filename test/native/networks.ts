// Networks for the tests: an executor in a network namespace of its own that stands for the host, and one in another that
// stands for a container. What they make ends with them.

import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import type { Op, Slot, Text } from '../../src/runtime/op.ts'
import type { Resolve } from '../../src/runtime/ops/row.ts'
import { callOf } from '../../src/runtime/ops.ts'
import { type Answer, type Executor, spawnExecutor } from '../../src/system/executor.ts'
import { call, NEW, succeed } from './executors.ts'

/** Slots by their names; PIDs are known from the beginning here. */
class Names implements Resolve {
  private slots: Slot[] = []

  slot(name: Slot): number {
    const known = this.slots.indexOf(name)
    return known >= 0 ? known : this.slots.push(name) - 1
  }

  text(text: Text): string {
    return String(text)
  }
}

const prelude = `
const net = require('node:net')
const dgram = require('node:dgram')
const { once } = require('node:events')
const { text } = require('node:stream/consumers')
const ready = () => process.stdout.write('ready\\n')
`

/** A network namespace with an executor in it. */
export class Network {
  readonly executor: Executor
  readonly pid: number
  private names = new Names()

  constructor(executor: Executor, pid: number) {
    this.executor = executor
    this.pid = pid
  }

  /** Performs the ops until one fails. */
  async attempt(...ops: Op[]): Promise<Answer[]> {
    return (await this.executor.perform(ops.map(op => callOf(op, this.names)))).answers
  }

  /** Performs the ops and asserts that none of them failed but with an error it tolerates. */
  async perform(...ops: Op[]): Promise<Answer[]> {
    const answers = await this.attempt(...ops)
    answers.forEach(({ errno, data }, index) => {
      const { op, tolerate = [] } = ops[index]!
      assert.ok(errno === undefined || tolerate.includes(errno), `${op}: ${errno} ${data ?? ''}`)
    })
    assert.equal(answers.length, ops.length)
    return answers
  }

  /** Performs one op, and returns the name of its error. */
  async errnoOf(op: Op): Promise<string | undefined> {
    return (await this.attempt(op)).at(-1)?.errno
  }

  /** What a command in this namespace prints. Throws where it fails. */
  run(command: string, ...args: string[]): string {
    return execFileSync('nsenter', ['--target', String(this.pid), '--net', command, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** What a Node program in this namespace prints; it ends by itself. */
  async node(program: string): Promise<string> {
    const { stdout } = await promisify(execFile)('nsenter', this.#nodeArguments(program))
    return stdout
  }

  #nodeArguments(program: string): string[] {
    const entering = ['--target', String(this.pid), '--net']
    return [...entering, process.execPath, '-e', `${prelude}\n;(async () => {\n${program}\n})()`]
  }

  /** Runs a Node program in this namespace until the function returned is called. It calls `ready()` when it may be used. */
  async serve(program: string): Promise<() => void> {
    const server = spawn('nsenter', this.#nodeArguments(program), { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await Promise.race([once(server.stdout, 'data'), once(server, 'exit')])
    assert.equal(String(line), 'ready\n')
    return () => server.kill('SIGKILL')
  }

  /** What ip(8) shows in this namespace. */
  ip(...args: string[]): Record<string, unknown>[] {
    return JSON.parse(this.run('ip', '-json', '-details', ...args))
  }
}

/** Gives `body` two network namespaces: the host's and a container's. */
export async function inNetworks(body: (host: Network, container: Network) => Promise<void>): Promise<void> {
  const [host, container] = [spawnExecutor(), spawnExecutor()]
  try {
    for (const { executor } of [host, container]) await succeed(executor, call('unshare', NEW.net))
    await body(new Network(host.executor, host.pid), new Network(container.executor, container.pid))
  } finally {
    await Promise.all([host.close(), container.close()])
  }
}
