// Ops on the tree of mounts: what makes a directory look like a whole machine's root.

import { bits, mountAttributes, mountFlags, unmountFlags } from '../constants.ts'
import type { OpOf } from '../op.ts'
import { words } from '../shell.ts'
import { cFlags, cString, joined, type Rows } from './row.ts'

type MountOp =
  | 'mount'
  | 'umount2'
  | 'pivot_root'
  | 'mount_setattr'
  | 'copy_mount'
  | 'attach_mount'
  | 'idmap_mount'

/** One row for each op on mounts. */
export const mountRows: Rows<MountOp> = {
  mount: {
    man: 'mount(2)',
    syscalls: ['mount'],
    arguments: op => [
      op.source,
      op.in ?? '',
      op.target,
      op.type ?? '',
      bits(op.flags, mountFlags),
      op.data ?? '',
      op.nofollow ? 1 : 0,
    ],
    show: op =>
      `mount(${cString(op.source)}, ${cString(joined(op.in, op.target))}, ${cString(op.type)}, ${cFlags(op.flags)}, ${cString(op.data)})`,
    shell: op => ({ run: mountCommand(op) }),
    inverse: op => [
      {
        op: 'umount2',
        target: joined(op.in, op.target),
        flags: ['MNT_DETACH'],
        tolerate: ['EINVAL', 'ENOENT'],
      },
    ],
  },
  umount2: {
    man: 'umount(2)',
    syscalls: ['umount2'],
    arguments: op => [op.target, bits(op.flags, unmountFlags)],
    show: op => `umount2(${cString(op.target)}, ${cFlags(op.flags)})`,
    shell: op => ({ run: words('umount', ...(op.flags.includes('MNT_DETACH') ? ['-l'] : []), op.target) }),
  },
  pivot_root: {
    man: 'pivot_root(2)',
    syscalls: ['pivot_root'],
    arguments: op => [op.newRoot, op.putOld],
    show: op => `pivot_root(${cString(op.newRoot)}, ${cString(op.putOld)})`,
    shell: op => ({ run: words('pivot_root', op.newRoot, op.putOld) }),
  },
  mount_setattr: {
    man: 'mount_setattr(2)',
    syscalls: ['mount_setattr'],
    arguments: op => [
      op.in ?? '',
      op.path,
      op.recursive ? 1 : 0,
      bits(op.set, mountAttributes),
      bits(op.clear, mountAttributes),
      op.propagation ? bits([op.propagation], mountFlags) : 0,
    ],
    show: op =>
      `mount_setattr(AT_FDCWD, ${cString(joined(op.in, op.path))}, ${op.recursive ? 'AT_RECURSIVE' : '0'}, {set: ${cFlags(op.set)}, clear: ${cFlags(op.clear)}})`,
    shell: op => ({ run: attributeCommand(op) }),
  },
  copy_mount: {
    man: 'open_tree(2)',
    syscalls: ['open_tree'],
    arguments: (op, resolve) => [op.source, op.recursive ? 1 : 0, resolve.slot(op.as)],
    show: op =>
      `${op.as} = open_tree(AT_FDCWD, ${cString(op.source)}, OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC${op.recursive ? '|AT_RECURSIVE' : ''})`,
    shell: () => ({ none: 'no tool keeps a mount that is attached nowhere' }),
  },
  attach_mount: {
    man: 'move_mount(2)',
    syscalls: ['move_mount'],
    arguments: (op, resolve) => [resolve.slot(op.slot), op.in, op.target],
    show: op =>
      `move_mount(${op.slot}, "", AT_FDCWD, ${cString(joined(op.in, op.target))}, MOVE_MOUNT_F_EMPTY_PATH)`,
    shell: () => ({ none: 'no tool keeps a mount that is attached nowhere' }),
  },
  idmap_mount: {
    man: 'mount_setattr(2)',
    syscalls: ['open_tree', 'mount_setattr', 'move_mount'],
    arguments: (op, resolve) => [op.source, op.target, resolve.slot(op.userns)],
    show: op =>
      `move_mount(mount_setattr(open_tree(${cString(op.source)}, OPEN_TREE_CLONE), MOUNT_ATTR_IDMAP, ${op.userns}), ${cString(op.target)})`,
    shell: op => ({
      run: `mount --bind -o X-mount.idmap=/proc/$USERNS_PID/ns/user ${words(op.source, op.target)}`,
    }),
  },
}

const propagationOptions: Record<string, string> = {
  MS_PRIVATE: 'private',
  MS_SLAVE: 'slave',
  MS_SHARED: 'shared',
  MS_UNBINDABLE: 'unbindable',
}

const flagOptions: Record<string, string> = {
  MS_RDONLY: 'ro',
  MS_NOSUID: 'nosuid',
  MS_NODEV: 'nodev',
  MS_NOEXEC: 'noexec',
  MS_SYNCHRONOUS: 'sync',
  MS_REMOUNT: 'remount',
  MS_DIRSYNC: 'dirsync',
  MS_NOSYMFOLLOW: 'nosymfollow',
  MS_NOATIME: 'noatime',
  MS_NODIRATIME: 'nodiratime',
  MS_RELATIME: 'relatime',
  MS_STRICTATIME: 'strictatime',
}

function mountCommand(op: OpOf<'mount'>): string {
  const target = joined(op.in, op.target)
  const recursive = op.flags.includes('MS_REC') ? 'r' : ''
  for (const [flag, name] of Object.entries(propagationOptions)) {
    if (op.flags.includes(flag)) return words('mount', `--make-${recursive}${name}`, target)
  }
  const options = op.flags.flatMap(flag => flagOptions[flag] ?? [])
  if (op.data) options.push(op.data)
  if (op.flags.includes('MS_BIND') && op.flags.includes('MS_REMOUNT')) {
    // With a source mount(8) looks for no further options in fstab(5).
    return words('mount', '-o', ['bind', ...options].join(','), 'none', target)
  }
  if (op.flags.includes('MS_MOVE')) return words('mount', '--move', op.source, target)
  const given = options.length ? ['-o', options.join(',')] : []
  if (op.flags.includes('MS_BIND')) return words('mount', `--${recursive}bind`, ...given, op.source, target)
  return words('mount', '-t', op.type ?? 'none', ...given, op.source || 'none', target)
}

/** Without a source mount(8) adds to the options a mount has; many versions of it know only one mount at a time. */
function attributeCommand(op: OpOf<'mount_setattr'>): string {
  const target = joined(op.in, op.path)
  const remount = ['mount', '-o', `remount,bind,${attributeOptions(op)}`]
  if (!op.recursive) return words(...remount, target)
  const list = words('findmnt', '--list', '--noheadings', '--submounts', '--output', 'TARGET', target)
  return `${list} | while read -r place; do ${words(...remount)} "$place"; done`
}

function attributeOptions(op: OpOf<'mount_setattr'>): string {
  const name = (attribute: string) =>
    attribute.replace('MOUNT_ATTR_', '').toLowerCase().replace('rdonly', 'ro')
  return [
    ...op.set.map(name),
    ...op.clear.map(attribute => (name(attribute) === 'ro' ? 'rw' : name(attribute).replace(/^no/, ''))),
  ].join(',')
}
