// Errors that count as done, said in shell: the command is left out where the thing is already so.

import type { Op } from '../op.ts'
import { quote } from '../shell.ts'
import { joined, showText } from './row.ts'

/** The command, guarded so that the errors the op tolerates do not end a script; other errors still do. */
export function tolerantCommand(op: Op, command: string): string {
  const errors = op.tolerate ?? []
  const path = pathOf(op)
  // Without the descriptor that tells processes apart, a script must not go on to the next one of this number.
  if (errors.length === 0 || op.op === 'open_process') return command
  const link = linkOf(op)
  if (link !== undefined && errors.every(errno => errno === 'EEXIST' || errno === 'ENODEV')) {
    // Of several lines only the first makes it. Unlike /sys/class/net this is of the network namespace of whoever looks.
    return `[ ${errors.includes('EEXIST') ? '' : '! '}-e /proc/sys/net/ipv4/conf/${quote(link)} ] || ${command}`
  }
  if (op.op === 'lock') return tolerantLock(op.path, command, errors)
  if (op.op === 'copy_tree' && String(errors) === 'ENOTEMPTY') {
    return `[ "$(ls -A ${quote(op.to)})" ] || ${command}`
  }
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

/** The network interface that the op makes or removes. */
function linkOf(op: Op): string | undefined {
  switch (op.op) {
    case 'create_bridge':
    case 'create_veth':
    case 'delete_link':
      return op.name
  }
  return undefined
}

/** A shell ends where `exec` cannot open a file, so the directory is looked for first. */
function tolerantLock(path: string, command: string, errors: string[]): string {
  const lines = errors.includes('EAGAIN') ? `${command} || true` : command
  if (!errors.includes('ENOENT')) return lines
  const directory = quote(path.slice(0, path.lastIndexOf('/')))
  return [`if [ -d ${directory} ]; then`, ...lines.split('\n').map(line => `  ${line}`), 'fi'].join('\n')
}

function pathOf(op: Op): string | undefined {
  if (op.op === 'mount') return joined(op.in, op.target)
  if (!('path' in op)) return undefined
  return joined('in' in op ? op.in : undefined, showText(op.path))
}
