// Ops on files and directories: what any program could do, recorded here so that it can be undone.

import type { Op, OpOf, Slot } from '../op.ts'
import { quote, words } from '../shell.ts'
import { cString, joined, octal, type Rows, showText } from './row.ts'

const fileTypeBits = { char: 0o020000, block: 0o060000, fifo: 0o010000, file: 0o100000 }
const writeModes = { create: 0, exclusive: 1, existing: 2 }
const openModes = { path: 0, directory: 1, read: 2 }

type FileOp =
  | 'mkdir'
  | 'rmdir'
  | 'unlink'
  | 'unlink_claim'
  | 'remove_tree'
  | 'copy_tree'
  | 'rename'
  | 'symlink'
  | 'link'
  | 'mknod'
  | 'chmod'
  | 'lchown'
  | 'lsetxattr'
  | 'utimens'
  | 'write_file'
  | 'open'
  | 'close'
  | 'lock'
  | 'lock_shared'
  | 'access'
  | 'syncfs'

/** One row for each op on files. */
export const fileRows: Rows<FileOp> = {
  mkdir: {
    man: 'mkdir(2)',
    // Of a directory with its parents, those that are there are opened.
    syscalls: ['mkdir', 'mkdirat', 'open', 'openat', 'openat2'],
    arguments: op => [op.in ?? '', op.path, op.mode, op.parents ? 1 : 0],
    show: op => `mkdir(${cString(at(op))}, ${octal(op.mode)})`,
    shell: op => ({ run: `mkdir ${op.parents ? '-p ' : ''}-m ${octal(op.mode)} ${quote(at(op))}` }),
    inverse: op => [{ op: 'rmdir', ...scope(op), path: op.path, tolerate: ['ENOENT'] }],
  },
  rmdir: {
    man: 'rmdir(2)',
    syscalls: ['rmdir', 'unlinkat'],
    arguments: op => [op.in ?? '', op.path],
    show: op => `rmdir(${cString(at(op))})`,
    shell: op => ({ run: words('rmdir', at(op)) }),
  },
  unlink: {
    man: 'unlink(2)',
    syscalls: ['unlink', 'unlinkat'],
    arguments: op => [op.in ?? '', op.path],
    show: op => `unlink(${cString(at(op))})`,
    shell: op => ({ run: words('rm', '-f', at(op)) }),
  },
  unlink_claim: {
    man: 'unlink(2)',
    syscalls: ['open', 'openat', 'flock', 'pread64', 'unlinkat'],
    arguments: op => [op.in ?? '', op.path, op.content],
    show: op => `unlink(${cString(at(op))}) if it holds ${cString(shorten(op.content))}`,
    shell: op => ({ run: `[ "$(cat ${quote(at(op))})" = ${quote(op.content)} ] && rm -f ${quote(at(op))}` }),
  },
  remove_tree: {
    man: 'unlinkat(2)',
    syscalls: ['renameat2', 'unlinkat'],
    arguments: op => [op.in ?? '', op.path],
    show: op => `remove_tree(${cString(at(op))})`,
    shell: op => ({ run: words('rm', '-rf', '--one-file-system', at(op)) }),
  },
  copy_tree: {
    man: 'copy_file_range(2)',
    syscalls: ['openat2'],
    arguments: op => [op.in ?? '', op.path, op.to],
    show: op => `copy_tree(${cString(at(op))}, ${cString(op.to)})`,
    // With `/.` a directory's own attributes come along.
    shell: op => ({ run: words('cp', '-a', `${at(op)}/.`, `${op.to}/`) }),
  },
  rename: {
    man: 'rename(2)',
    syscalls: ['rename', 'renameat', 'renameat2'],
    arguments: op => [op.in ?? '', op.path, op.to],
    show: op => `rename(${cString(at(op))}, ${cString(joined(op.in, op.to))})`,
    shell: op => ({ run: words('mv', '-T', at(op), joined(op.in, op.to)) }),
    inverse: op => [
      { op: 'rename', ...scope(op), path: op.to, to: op.path, tolerate: ['ENOENT', 'ENOTEMPTY', 'EEXIST'] },
    ],
  },
  symlink: {
    man: 'symlink(2)',
    syscalls: ['symlink', 'symlinkat'],
    arguments: op => [op.in ?? '', op.path, op.target],
    show: op => `symlink(${cString(op.target)}, ${cString(at(op))})`,
    shell: op => ({ run: words('ln', '-s', op.target, at(op)) }),
    inverse: op => [{ op: 'unlink', ...scope(op), path: op.path, tolerate: ['ENOENT'] }],
  },
  link: {
    man: 'link(2)',
    syscalls: ['link', 'linkat'],
    arguments: op => [op.in ?? '', op.path, op.target],
    show: op => `link(${cString(joined(op.in, op.target))}, ${cString(at(op))})`,
    shell: op => ({ run: words('ln', joined(op.in, op.target), at(op)) }),
    inverse: op => [{ op: 'unlink', ...scope(op), path: op.path, tolerate: ['ENOENT'] }],
  },
  mknod: {
    man: 'mknod(2)',
    syscalls: ['mknod', 'mknodat'],
    arguments: op => [op.in ?? '', op.path, fileTypeBits[op.type] | op.mode, op.major ?? 0, op.minor ?? 0],
    show: op => `mknod(${cString(at(op))}, ${nodeType(op)}|${octal(op.mode)}, ${nodeNumber(op)})`,
    shell: op => ({ run: mknodCommand(op) }),
    inverse: op => [{ op: 'unlink', ...scope(op), path: op.path, tolerate: ['ENOENT'] }],
  },
  chmod: {
    man: 'chmod(2)',
    syscalls: ['chmod', 'fchmodat'],
    arguments: op => [op.in ?? '', op.path, op.mode],
    show: op => `chmod(${cString(at(op))}, ${octal(op.mode)})`,
    shell: op => ({ run: words('chmod', octal(op.mode), at(op)) }),
  },
  lchown: {
    man: 'chown(2)',
    syscalls: ['lchown', 'fchownat'],
    arguments: op => [op.in ?? '', op.path, op.uid, op.gid],
    show: op => `lchown(${cString(at(op))}, ${op.uid}, ${op.gid})`,
    shell: op => ({ run: words('chown', '-h', `${op.uid}:${op.gid}`, at(op)) }),
  },
  lsetxattr: {
    man: 'setxattr(2)',
    syscalls: ['lsetxattr'],
    arguments: op => [op.in ?? '', op.path, op.name, Buffer.from(op.value, 'base64')],
    show: op => `lsetxattr(${cString(at(op))}, ${cString(op.name)}, base64 ${op.value})`,
    shell: op => ({ run: words('setfattr', '-h', '-n', op.name, '-v', `0s${op.value}`, at(op)) }),
  },
  utimens: {
    man: 'utimensat(2)',
    syscalls: ['utimensat'],
    arguments: op => [op.in ?? '', op.path, op.seconds, op.nanoseconds],
    show: op =>
      `utimensat(AT_FDCWD, ${cString(at(op))}, ${op.seconds}.${op.nanoseconds}, AT_SYMLINK_NOFOLLOW)`,
    shell: op => ({ run: words('touch', '-h', '-d', `@${op.seconds}.${op.nanoseconds}`, at(op)) }),
  },
  write_file: {
    man: 'write(2)',
    // A claim is written before it has its name.
    syscalls: ['open', 'openat', 'openat2', 'write', 'linkat'],
    arguments: (op, resolve) => [
      op.in ?? '',
      resolve.text(op.path),
      resolve.text(op.content),
      writeModes[op.how],
      op.mode ?? 0o644,
    ],
    show: op =>
      `write(${cString(joined(op.in, showText(op.path)))}, ${cString(shorten(showText(op.content)))})`,
    shell: op => ({ run: writeCommand(op) }),
    inverse: op => unwrite(op),
  },
  open: {
    man: 'open(2)',
    syscalls: ['open', 'openat', 'openat2'],
    arguments: (op, resolve) => [op.in ?? '', resolve.text(op.path), openModes[op.how], resolve.slot(op.as)],
    show: op =>
      `${op.as} = open(${cString(joined(op.in, showText(op.path)))}, ${openFlags[op.how]}|O_CLOEXEC)`,
    shell: () => ({ none: 'a shell opens files only for its own redirections' }),
  },
  close: {
    man: 'close(2)',
    syscalls: ['close'],
    arguments: (op, resolve) => [resolve.slot(op.slot)],
    show: op => `close(${op.slot})`,
    shell: op => {
      const descriptor = lockDescriptors[op.slot]
      return descriptor === undefined
        ? { none: 'no descriptor was opened in the shell' }
        : { run: `exec ${descriptor}>&-` }
    },
  },
  lock: {
    man: 'flock(2)',
    syscalls: ['open', 'openat', 'flock'],
    arguments: (op, resolve) => [op.path, op.waitMs, resolve.slot(op.as)],
    show: op => `${op.as} = open(${cString(op.path)}, O_CREAT|O_RDWR|O_CLOEXEC), flock(${op.as}, LOCK_EX)`,
    shell: op => {
      const descriptor = lockDescriptors[op.as] ?? 9
      return { run: `exec ${descriptor}>${quote(op.path)}\nflock -w ${op.waitMs / 1000} ${descriptor}` }
    },
  },
  lock_shared: {
    man: 'flock(2)',
    syscalls: ['open', 'openat', 'flock'],
    arguments: (op, resolve) => [op.path, op.waitMs, resolve.slot(op.as)],
    show: op =>
      `${op.as} = open(${cString(op.path)}, O_RDONLY|O_DIRECTORY|O_CLOEXEC), flock(${op.as}, LOCK_SH)`,
    shell: () => ({ none: 'a script keeps nobody from removing the image while it starts' }),
  },
  access: {
    man: 'access(2)',
    syscalls: ['access', 'faccessat', 'faccessat2'],
    arguments: op => [op.paths],
    show: op =>
      op.paths.length === 1
        ? `access(${cString(op.paths[0])}, F_OK)`
        : `access(each of ${op.paths.map(cString).join(' ')}, F_OK)`,
    shell: op => ({ run: op.paths.map(path => words('test', '-e', path)).join('\n') }),
  },
  syncfs: {
    man: 'sync(2)',
    syscalls: ['syncfs'],
    arguments: op => [op.path],
    show: op => `syncfs(${cString(op.path)})`,
    shell: op => ({ run: words('sync', '-f', op.path) }),
  },
}

/** A POSIX shell knows descriptors of one digit only: one for each lock that is held beside another. */
const lockDescriptors: Record<Slot, number> = { 'container-lock': 9, 'networks-lock': 8, cleaner: 7 }

const openFlags = { path: 'O_PATH', directory: 'O_DIRECTORY', read: 'O_RDONLY' }

function at(op: { in?: string; path: string }): string {
  return joined(op.in, op.path)
}

function scope(op: { in?: string }): { in?: string } {
  return op.in ? { in: op.in } : {}
}

function nodeType(op: OpOf<'mknod'>): string {
  return { char: 'S_IFCHR', block: 'S_IFBLK', fifo: 'S_IFIFO', file: 'S_IFREG' }[op.type]
}

function nodeNumber(op: OpOf<'mknod'>): string {
  return op.major === undefined ? '0' : `makedev(${op.major}, ${op.minor ?? 0})`
}

function mknodCommand(op: OpOf<'mknod'>): string {
  if (op.type === 'file') return words('install', '-m', octal(op.mode), '/dev/null', at(op))
  const letter = { char: 'c', block: 'b', fifo: 'p' }[op.type]
  const numbers = op.type === 'fifo' ? [] : [String(op.major ?? 0), String(op.minor ?? 0)]
  return words('mknod', '-m', octal(op.mode), at(op), letter, ...numbers)
}

function writeCommand(op: OpOf<'write_file'>): string {
  const path = shellText(joined(op.in, showText(op.path)), op.path)
  const print = `printf %s ${shellText(showText(op.content), op.content)} > ${path}`
  const write = op.how === 'exclusive' ? `(set -C; ${print})` : print
  // On lines of their own: of commands joined by && only the last one ends a script that fails.
  return op.how === 'existing' ? write : `${write}\nchmod ${octal(op.mode ?? 0o644)} ${path}`
}

/** An exclusive file is a claim: when making it failed, it may be another's. */
function unwrite(op: OpOf<'write_file'>): Op[] {
  const file = { ...scope(op), path: showText(op.path) }
  if (op.how === 'existing') return []
  if (op.how === 'create') return [{ op: 'unlink', ...file, tolerate: ['ENOENT'] }]
  return [{ op: 'unlink_claim', ...file, content: showText(op.content), tolerate: ['ENOENT', 'ESTALE'] }]
}

/** Late values stay variables, so such a text goes into double quotes. */
function shellText(shown: string, text: OpOf<'write_file'>['content']): string {
  return typeof text === 'string' ? quote(shown) : `"${shown}"`
}

function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}...` : text
}
