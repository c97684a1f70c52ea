// The table of ops: one row for each kind says how it is performed, its shell twin, its inverse, its man page.
// The rows stand in ops/, a file for each kernel idea; op.ts has the vocabulary.

import type { Op, OpName } from './op.ts'
import { addressRows } from './ops/addresses.ts'
import { credentialRows } from './ops/credentials.ts'
import { fileRows } from './ops/files.ts'
import { linkRows } from './ops/links.ts'
import { mountRows } from './ops/mounts.ts'
import { namespaceRows } from './ops/namespaces.ts'
import { portRows } from './ops/ports.ts'
import { processRows } from './ops/process.ts'
import type { Argument, Resolve, Row, Rows, Twin } from './ops/row.ts'
import { runningRows } from './ops/running.ts'
import { tolerantCommand } from './ops/tolerance.ts'

/** Everything the kernel can be asked to do. */
export const opTable: Rows<OpName> = {
  ...fileRows,
  ...mountRows,
  ...namespaceRows,
  ...credentialRows,
  ...processRows,
  ...runningRows,
  ...linkRows,
  ...addressRows,
  ...portRows,
}

function row(op: Op): Row<OpName> {
  return opTable[op.op] as Row<OpName>
}

/** The op as the executor takes it: its name, its arguments in order, the errors that count as done. */
export function callOf(op: Op, resolve: Resolve): { name: string; args: Argument[]; tolerate: string[] } {
  return { name: op.op, args: row(op).arguments(op as never, resolve), tolerate: op.tolerate ?? [] }
}

/** The op as a C call with real arguments, for people. */
export function showOp(op: Op): string {
  return row(op).show(op as never)
}

/** The same act as a shell command; the errors that the op tolerates do not end a script. */
export function shellTwin(op: Op): Twin {
  const twin = row(op).shell(op as never)
  return 'run' in twin ? { run: tolerantCommand(op, twin.run) } : twin
}

/** The manual page of the op: `mount(2)`. */
export function manualPage(op: Op): string {
  return row(op).man
}

/** The system calls strace(1) shows for it. */
export function syscallsOf(op: Op): string[] {
  return row(op).syscalls
}

/** What takes these ops back, last one first; nothing for those that end with the process. */
export function inverses(ops: Op[]): Op[] {
  return ops.toReversed().flatMap(op => row(op).inverse?.(op as never) ?? [])
}
