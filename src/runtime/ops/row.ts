// What is known about each kind of op: one row says how it travels, how it looks, its shell twin and its inverse.

import type { Op, OpName, OpOf, Slot, Text } from '../op.ts'

/** An argument as the executor takes it: a number, a text, bytes, or a list of texts. */
export type Argument = number | bigint | string | Uint8Array | string[]

/** Turns the names of a plan into what they stand for while it is performed. */
export type Resolve = {
  slot(name: Slot): number
  text(text: Text): string
}

/**
 * The same act as a shell command.
 *
 * `run` is a command line of its own. `unshare`, `nsenter` and `setpriv` are options of the unshare(1) or nsenter(1) that
 * starts the container's side and of the one setpriv(1) that ends it, since a shell cannot change its own namespaces or
 * credentials. `seccompFilter` is a program in base64, for a setpriv(1) that can load one. `none` is the reason why no
 * shell tool can do it.
 */
export type Twin =
  | { run: string }
  | { unshare: string[] }
  | { nsenter: string[] }
  | { setpriv: string[] }
  | { seccompFilter: string }
  | { chdir: string }
  | { exec: { argv: string[]; env: string[] } }
  | { none: string }

export type Row<N extends OpName> = {
  /** The manual page to read. */
  man: string
  /** What strace(1) shows of it. */
  syscalls: string[]
  /** The executor's arguments, in the order native/ expects. */
  arguments(op: OpOf<N>, resolve: Resolve): Argument[]
  /** As a call in C would be written, with the names of the constants. */
  show(op: OpOf<N>): string
  shell(op: OpOf<N>): Twin
  /** The ops that take it back; absent where nothing of it outlives the process or its namespaces. */
  inverse?(op: OpOf<N>): Op[]
}

export type Rows<N extends OpName> = { [K in N]: Row<K> }

/** A text with its late values as shell variables: `/proc/$PID/ns/net`. */
export function showText(text: Text): string {
  if (typeof text === 'string') return text
  return text.map(part => (typeof part === 'string' ? part : `$${part.late.toUpperCase()}`)).join('')
}

/** A path inside a scope as seen from outside. */
export function joined(scope: string | undefined, path: string): string {
  if (!scope) return path
  return path === '/' ? scope : `${scope}/${path.replace(/^\/+/, '')}`
}

/** A C string. */
export function cString(text: string | undefined): string {
  return text === undefined || text === '' ? 'NULL' : JSON.stringify(text)
}

/** Named flags as C writes them. */
export function cFlags(names: string[]): string {
  return names.length === 0 ? '0' : names.join('|')
}

/** An octal number as C and chmod(1) write it. */
export function octal(mode: number): string {
  return `0${mode.toString(8)}`
}
