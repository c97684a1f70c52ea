// Containers that others attach to, and those who do (attacher.ts).

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { ClientOptions } from './client.ts'
import { client, isThere, stopped, until } from './clients.ts'

export const attacherPath = join(import.meta.dirname, 'attacher.ts')

export type Place = { directory: string; socket: string; file(name: string): string }

export function place(t: TestContext): Place {
  // Longer than the address of a socket can be.
  const directory = mkdtempSync(join(tmpdir(), `minictr-attach-${'x'.repeat(100)}`))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = (name: string) => join(directory, name)
  return { directory, socket: file(`${directory.slice(-6)}.attach.sock`), file }
}

/** A container that nobody is attached to; its monitor's PID. */
export async function detached(t: TestContext, { socket }: Place, options: ClientOptions): Promise<number> {
  const streams = { stdin: false, stdout: false, stderr: false }
  const child = client(t, { listen: socket, streams, stopAt: 'running', ...options })
  const { monitor, container } = await stopped(child)
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.after(() => isThere(container) && process.kill(container, 'SIGKILL'))
  return monitor
}

export type Attacher = { child: ChildProcess; text: string; ended: Promise<number | null> }

export function attacher(t: TestContext, { socket }: Place, options: object = {}): Attacher {
  const child = spawn(process.execPath, [attacherPath, socket, JSON.stringify(options)])
  t.after(() => child.kill('SIGKILL'))
  const it: Attacher = {
    child,
    text: '',
    ended: once(child, 'close').then(([status]) => status as number | null),
  }
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (it.text += chunk))
  return it
}

export function shows(it: Attacher, pattern: RegExp): Promise<void> {
  return until(() => pattern.test(it.text), `${pattern} is shown, but: ${JSON.stringify(it.text)}`)
}

export function links(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      return [] // closed meanwhile
    }
  })
}

/** Waits until the monitor has the standard output of each. */
export async function attached(monitor: number, ...attachers: Attacher[]): Promise<void> {
  for (const { child } of attachers) {
    const output = readlinkSync(`/proc/${child.pid}/fd/1`)
    await until(() => links(monitor).includes(output), 'it is attached')
  }
}

/** Writes what it reads, until it reads `end`, and ends with 7. */
export const echoes =
  'while read line; do [ "$line" = end ] && exit 7; echo "got $line"; done; echo closed; sleep 30'
