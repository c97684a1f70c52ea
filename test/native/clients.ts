// Starting clients (client.ts), and finding out what became of the processes behind them.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { helperPath } from '../../src/system/executor.ts'
import type { ClientOptions } from './client.ts'

const clientPath = join(import.meta.dirname, 'client.ts')

/**
 * Starts a client whose stdio are sockets to this process; it does not outlive the test. `launched`: its monitor is started
 * before it, as by dist/minictr, and not by itself.
 */
export function client(
  t: TestContext,
  options: ClientOptions,
  how: 'launched' | 'by itself' = 'by itself',
): ChildProcess {
  const command = [process.execPath, clientPath, JSON.stringify(options)]
  const [program, ...args] = how === 'launched' ? [helperPath(), 'beside', ...command] : command
  const child = spawn(program!, args, { stdio: 'pipe' })
  t.after(() => child.kill('SIGKILL'))
  return child
}

/** The same as a command for sh, quoted. */
export function clientCommand(options: ClientOptions): string {
  return `'${process.execPath}' '${clientPath}' '${JSON.stringify(options).replaceAll("'", `'\\''`)}'`
}

export async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let all = ''
  for await (const chunk of stream) all += chunk
  return all
}

/** Runs a client to its end. */
export async function run(t: TestContext, options: ClientOptions, input?: string) {
  const child = client(t, options)
  child.stdin!.end(input)
  const [stdout, stderr, [status]] = await Promise.all([
    textOf(child.stdout!),
    textOf(child.stderr!),
    once(child, 'exit'),
  ])
  return { stdout, stderr, status }
}

/** Starts a client that stops itself; gives the PIDs it tells of. */
export async function stopped(child: ChildProcess): Promise<{ monitor: number; container: number }> {
  let said = ''
  for await (const chunk of child.stderr!) {
    said += chunk
    const match = /stopped: monitor (\d+) container (\d+)\n/.exec(said)
    if (match) return { monitor: Number(match[1]), container: Number(match[2]) }
  }
  throw new Error(`the client ended: ${said}`)
}

/** Whether a process is alive: a zombie only waits for whoever adopted it. */
export function isThere(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Waits until something has become so; fails after a time in which it must have. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (condition()) return
    await sleep(10)
  }
  assert.fail(`it did not happen: ${what}`)
}
