// Attaching to a container that runs: native/attach.c hands this process's own input and output to its monitor.
// native/monitor_listen.c has the language of the socket.

import { type StdioOptions, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { connect } from 'node:net'
import { constants } from 'node:os'
import { basename, dirname } from 'node:path'
import { helperPath } from './executor.ts'
import { type Exit, exitOf } from './monitor.ts'
import type { Unwritten } from './wire.ts'

export type AttachOptions = {
  /** Which of this process's streams the container gets. */
  stdin: boolean
  stdout: boolean
  stderr: boolean
  /** The container has a terminal: this process's becomes raw, and its size the container's. */
  tty: boolean
  /** Signals to this process go to the container. */
  signalProxy: boolean
  /** What is typed to detach; with none of them nothing does. */
  detachKeys: Uint8Array
}

const proxied = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
] as const
const alsoProxied = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGURG'] as const

/**
 * Attaches this process's standard input, output and error to the container whose monitor listens at `socketPath`. Resolves
 * to the container's status when it has ended and all is written, to `detached` where the keys for that were typed, or to what
 * could not be written. 125, with a line on standard error, where nobody listens or the monitor was killed.
 */
export function attach(socketPath: string, options: AttachOptions): Promise<number | 'detached' | Unwritten> {
  const args = ['attach', socketPath, ...flagsOf(options)]
  const signals: NodeJS.Signals[] = ['SIGWINCH', ...(options.signalProxy ? [...proxied, ...alsoProxied] : [])]
  const pass = (signal: NodeJS.Signals) => void child.kill(signal)
  for (const signal of signals) process.on(signal, pass)
  // In a session of its own: what is typed (^C) comes to this process only, and is passed on once.
  const stdio: StdioOptions = ['inherit', 'inherit', 'inherit', 'pipe']
  const child = spawn(helperPath(), args, { stdio, env: {}, detached: true })
  let news = Buffer.alloc(0)
  child.stdio[3]!.on('data', (bytes: Buffer) => {
    news = Buffer.concat([news, bytes])
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    // Not `exit`: by now all that it wrote has been read.
    child.on('close', (status, signal) => {
      for (const name of signals) process.off(name, pass)
      resolve(told(news) ?? status ?? 128 + constants.signals[signal!])
    })
  })
}

/** What native/attach.c writes of an end that is not the container's. */
function told(news: Buffer): 'detached' | Unwritten | undefined {
  if (news.length === 0) return undefined
  if (news[0] !== 'f'.charCodeAt(0)) return 'detached'
  return { stream: news.readInt32LE(1) === 1 ? 'stdout' : 'stderr', errno: news.readInt32LE(5) }
}

function flagsOf(options: AttachOptions): string[] {
  const { stdin, stdout, stderr, tty, signalProxy, detachKeys } = options
  return [
    ...(stdin ? [] : ['--no-stdin']),
    ...(stdout ? [] : ['--no-stdout']),
    ...(stderr ? [] : ['--no-stderr']),
    ...(tty ? ['--tty'] : []),
    ...(signalProxy ? [] : ['--no-sig-proxy']),
    ...(detachKeys.length > 0 ? [`--detach-keys=${detachKeys.join(',')}`] : []),
  ]
}

const WAIT = Buffer.from('w\0')
const END_SIZE_BYTES = 6 // 'x', the length 4, the wait status

/**
 * Waits for the end of the container whose monitor listens at `socketPath`: resolves to how it ended, or to undefined where
 * the monitor was killed, or nobody listens (any more).
 */
export function waitForEnd(socketPath: string): Promise<Exit | undefined> {
  let directory: number
  try {
    directory = openSync(dirname(socketPath), 'r')
  } catch {
    return Promise.resolve(undefined)
  }
  // By way of the open directory: an address holds 107 bytes only (unix(7)).
  const socket = connect(`/proc/self/fd/${directory}/${basename(socketPath)}`)
  let told = Buffer.alloc(0)
  socket.write(WAIT)
  socket.on('data', chunk => {
    told = Buffer.concat([told, chunk])
  })
  socket.on('error', () => {}) // what follows is 'close'
  return new Promise(resolve => {
    socket.on('close', () => {
      closeSync(directory)
      resolve(told.length === END_SIZE_BYTES ? exitOf(told.readInt32LE(2)) : undefined)
    })
  })
}
