// /dev: the few devices every program expects, and nothing that reaches the machine's disks.

import type { Op } from '../op.ts'
import type { Device, Spec } from '../spec.ts'
import type { Step } from '../step.ts'
import { containerStep } from './container-step.ts'
import { hasUserNamespace } from './user-namespace.ts'

const links: [path: string, target: string][] = [
  ['/dev/fd', '/proc/self/fd'],
  ['/dev/stdin', '/proc/self/fd/0'],
  ['/dev/stdout', '/proc/self/fd/1'],
  ['/dev/stderr', '/proc/self/fd/2'],
  ['/dev/core', '/proc/kcore'],
  ['/dev/ptmx', 'pts/ptmx'],
]

/** Nodes and links in /dev; only where the configuration mounts a fresh file system there. */
export function deviceSteps(spec: Spec): Step[] {
  const hasOwnDev = spec.mounts.some(mount => mount.destination === '/dev' && mount.type === 'tmpfs')
  if (!hasOwnDev) return []
  const root = spec.root.path
  const make = hasUserNamespace(spec) ? bindDevice : makeDevice
  const ops = (spec.linux.devices ?? []).flatMap(device => make(root, device))
  for (const [path, target] of links)
    ops.push({ op: 'symlink', in: root, path, target, tolerate: ['EEXIST'] })
  return [
    containerStep(
      'create-devices',
      'null, zero, full, random, urandom and tty, with what was asked for, and the links a Unix program expects. A node is only a pair of numbers: whether it may be opened, the cgroup’s device rules decide.',
      ops,
    ),
  ]
}

const nodeTypes = { c: 'char', u: 'char', b: 'block', p: 'fifo' } as const

function makeDevice(root: string, device: Device): Op[] {
  const ops = parentOps(root, device.path)
  const mode = device.fileMode ?? 0o666
  ops.push({
    op: 'mknod',
    in: root,
    path: device.path,
    type: nodeTypes[device.type],
    mode: mode & 0o7777,
    ...(device.major !== undefined && { major: device.major, minor: device.minor ?? 0 }),
    tolerate: ['EEXIST'],
  })
  if (device.uid || device.gid) {
    ops.push({ op: 'lchown', in: root, path: device.path, uid: device.uid ?? 0, gid: device.gid ?? 0 })
  }
  return ops
}

/** mknod(2) is refused inside a user namespace, so the host's node is shown instead. */
function bindDevice(root: string, device: Device): Op[] {
  return [
    ...parentOps(root, device.path),
    { op: 'mknod', in: root, path: device.path, type: 'file', mode: 0o666, tolerate: ['EEXIST'] },
    { op: 'mount', source: device.path, in: root, target: device.path, flags: ['MS_BIND'] },
  ]
}

function parentOps(root: string, path: string): Op[] {
  const parent = path.slice(0, path.lastIndexOf('/'))
  return parent === '/dev' || parent === ''
    ? []
    : [{ op: 'mkdir', in: root, path: parent, mode: 0o755, parents: true }]
}
