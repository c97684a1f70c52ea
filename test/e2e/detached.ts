// Containers that run by themselves, as the commands that act on them find them; and what was told of them.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Journal } from '../../src/runtime/journal.ts'
import type { Debian } from './debian.ts'

/** A program that catches no signal, and one that ends by SIGTERM with 3; both say when they are so far. */
export const deaf = 'echo ready; exec sleep 1000'
export const obedient = 'trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done'
/** One that goes on when it is told to, by SIGUSR1. */
export const patient = 'trap "go=on" USR1; echo ready; while [ -z "$go" ]; do sleep 0.05; done; '

/** Starts a container in the background, its program a shell script, and waits until that has said `ready`. Gives its id. */
export async function detached(
  debian: Debian,
  name: string,
  script: string = deaf,
  ...flags: string[]
): Promise<string> {
  const command = [debian.store().image, 'sh', '-c', script]
  const args = ['run', '-d', '--network', 'none', '--name', name, ...flags, ...command]
  const { status, stdout, stderr } = await debian.minictr(...args)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  await saysReady(debian, name)
  return stdout.trim()
}

/** Waits until the container has written a line `ready`, so many times in all. */
export async function saysReady(debian: Debian, name: string, times = 1): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const { stdout } = await debian.minictr('logs', name)
    if (stdout.split(/\r?\n/).filter(line => line.endsWith('ready')).length >= times) return
    await sleep(20)
  }
  assert.fail(`${name} does not say ready`)
}

/** Waits until as many commands are connected with the container's monitor: those that attach to it, or wait for its end. */
export async function hasAttached(debian: Debian, id: string, count: number): Promise<void> {
  const monitor = new Journal(join(debian.store().runRoot, id)).owner()!.pid
  for (let tries = 0; tries < 500; tries++) {
    if (connectionsOf(monitor) >= count) return
    await sleep(20)
  }
  assert.fail(`no ${count} commands are connected with the monitor`)
}

/** proc_net_unix(5): 03 is a connected socket; an accepted one has the name of the one that listens. */
function connectionsOf(monitor: number): number {
  const accepted = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map(line => line.split(/\s+/))
    .filter(([, , , , , state, , path]) => state === '03' && path?.endsWith('/attach.sock'))
    .map(fields => `socket:[${fields[6]}]`)
  const open = readdirSync(`/proc/${monitor}/fd`).map(fd => linkOf(`/proc/${monitor}/fd/${fd}`))
  return accepted.filter(socket => open.includes(socket)).length
}

/** Undefined where it was closed just now. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** What was told of a container so far: the actions, each with the attributes of that event alone. */
export function eventsOf(debian: Debian, id: string): string[] {
  return readFileSync(join(debian.store().runRoot, 'events.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { Action: string; Actor: { ID: string; Attributes: object } })
    .filter(({ Actor }) => Actor.ID === id)
    .map(({ Action, Actor }) => {
      const { image: _, name: __, ...own } = Actor.Attributes as Record<string, string>
      return [Action, ...Object.entries(own).map(([key, value]) => `${key}=${value}`)].join(' ')
    })
}

/** The first process of a running container, as the host numbers it. */
export function pidOf(debian: Debian, id: string): number {
  return JSON.parse(readFileSync(join(debian.store().runRoot, id, 'state.json'), 'utf8')).pid
}

/** How the container's line of `ps -a` tells its state. */
export async function stateOf(debian: Debian, name: string): Promise<string> {
  const { stdout } = await debian.minictr('ps', '-a')
  const line = stdout.split('\n').find(each => each.endsWith(` ${name}`))
  return line === undefined
    ? 'none'
    : (/(Created|Up|Exited \(\w+\)|Restarting \(\w+\))/.exec(line)?.[0] ?? line)
}
