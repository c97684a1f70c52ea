// Errors that count as done, said in shell: the command is left out where the thing is already so.

import type { Op } from '../op.ts'
import { quote } from '../shell.ts'
import { joined, showText } from './row.ts'

/** The command, guarded so that the errors the op tolerates do not end a script; other errors still do. */
export function tolerantCommand(op: Op, command: string): string {
  const errors = op.tolerate ?? []
  const path = pathOf(op)
  if (errors.length === 0) return command
  if (path === undefined || errors.some(errno => !['EEXIST', 'ENOENT', 'ENOTDIR'].includes(errno))) {
    return `${command} 2>/dev/null || true`
  }
  const at = quote(path)
  if (errors.includes('EEXIST')) return `[ -e ${at} ] || ${command}`
  if (op.op !== 'mount' || !errors.includes('ENOTDIR')) return `[ ! -e ${at} ] || ${command}`
  // A file is mounted on anything but a directory, a file system on nothing else.
  return op.flags.includes('MS_BIND')
    ? `[ ! -e ${at} ] || [ -d ${at} ] || ${command}`
    : `[ ! -d ${at} ] || ${command}`
}

function pathOf(op: Op): string | undefined {
  if (op.op === 'mount') return joined(op.in, op.target)
  if (!('path' in op)) return undefined
  return joined('in' in op ? op.in : undefined, showText(op.path))
}
