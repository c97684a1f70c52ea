// The mounts of the configuration, each one a step: kernel file systems, the host's directories, memory.

import type { PlanContext } from '../context.ts'
import { parseMountOptions } from '../mount-options.ts'
import type { Op, Slot } from '../op.ts'
import type { Mount, Spec } from '../spec.ts'
import type { Step } from '../step.ts'
import { cgroupMountOps } from './cgroup-mount.ts'
import { containerStep } from './container-step.ts'

const reasons: Record<string, string> = {
  '/proc':
    'ps, and much of the C library, read /proc. A new proc file system shows the processes of the PID namespace it is mounted from, so it comes after the fork.',
  '/dev':
    'A small file system in memory for device nodes, so that the image’s /dev, whatever it holds, is covered and only chosen devices exist.',
  '/dev/pts':
    'A private instance of pseudo terminals: /dev/pts/0 is the container’s own, and the host’s terminals cannot be opened from inside.',
  '/dev/shm': 'Shared memory of POSIX (shm_open) lives here; its size is bounded.',
  '/dev/mqueue': 'POSIX message queues of the container’s own IPC namespace, as files.',
  '/sys':
    'The kernel’s devices and drivers as files. Read-only, because writing there changes the whole machine. After the network namespace, because /sys/class/net shows the one it is mounted from.',
  '/sys/fs/cgroup':
    'The container’s own cgroup as a tree of files, so that programs can read their limits; read-only, so that they cannot lift them.',
  '/etc/hosts':
    'Addresses by name, asked before any name server: localhost, and what --add-host gives. Covers the image’s file.',
  '/etc/hostname': 'The host name as a file, for programs that read it there.',
  '/etc/resolv.conf': 'Where to ask for names: the image cannot know the host’s resolvers.',
}

/** A step for each mount, in the order of the configuration. */
export function mountSteps(spec: Spec, context: PlanContext): Step[] {
  const taken = new Set(['mount-overlay'])
  return spec.mounts.map(mount => {
    const id = stepId(mount, taken)
    const isCgroup = mount.type === 'cgroup' || mount.type === 'cgroup2'
    const step = (ops: Op[]) => containerStep(id, reasonFor(mount), ops)
    if (isCgroup) return step(cgroupMountOps(spec, mount, context.host))
    return step(mountOps(spec.root.path, mount, context))
  })
}

/** From the mount point, which an image may have named: only what a step's id has. */
function stepId({ destination }: Mount, taken: Set<string>): string {
  const place = destination
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  const id = `mount-${place || 'root'}`
  let unique = id
  for (let number = 2; taken.has(unique); number++) unique = `${id}-${number}`
  taken.add(unique)
  return unique
}

function reasonFor(mount: Mount): string {
  const known = reasons[mount.destination]
  const { bind } = parseMountOptions(mount.options ?? [])
  if (known && (!bind || mount.destination.startsWith('/etc/'))) return known
  if (bind)
    return `A bind mount shows ${mount.source} of the host at ${mount.destination}: the same files, not a copy.`
  return `A ${mount.type} file system at ${mount.destination}, as asked for.`
}

function mountOps(root: string, mount: Mount, context: PlanContext): Op[] {
  const options = parseMountOptions(mount.options ?? [])
  const target = mount.destination
  const place = { in: root, target }
  const nofollow = target === '/proc' || target === '/sys' ? { nofollow: true } : {}
  const ops = targetOps(root, mount, context, options.bind)
  if (options.bind) {
    const recursive = options.recursive ? ['MS_REC'] : []
    const slot = tiedSlot(mount)
    if (slot !== undefined) {
      ops.push({ op: 'attach_mount', slot, in: root, target }, { op: 'close', slot })
    } else ops.push({ op: 'mount', source: mount.source ?? '', ...place, flags: ['MS_BIND', ...recursive] })
    if (options.flags.length > 0) ops.push(setAttributes(root, target, options.flags))
  } else {
    ops.push({
      op: 'mount',
      source: mount.source ?? mount.type ?? '',
      ...place,
      type: mount.type ?? '',
      flags: options.flags,
      data: options.data,
      ...nofollow,
    })
  }
  if (options.recursiveAttributes.length > 0) {
    ops.push({
      op: 'mount_setattr',
      in: root,
      path: target,
      recursive: true,
      set: options.recursiveAttributes,
      clear: [],
    })
  }
  if (options.propagation.length > 0)
    ops.push({ op: 'mount', source: '', ...place, flags: options.propagation })
  return ops
}

/**
 * Copies of the sources of bind mounts that stay tied to the host (`slave`, `shared`), made while the sources still are:
 * a copy keeps its peer group when the tree it comes from is made private (mount_namespaces(7)).
 */
export function copyTiedMounts({ mounts }: Spec): Op[] {
  return mounts.flatMap((mount): Op[] => {
    const slot = tiedSlot(mount)
    const { recursive } = parseMountOptions(mount.options ?? [])
    return slot === undefined ? [] : [{ op: 'copy_mount', source: mount.source ?? '', recursive, as: slot }]
  })
}

/** The name of such a copy; undefined for other mounts. */
function tiedSlot({ destination, options = [] }: Mount): Slot | undefined {
  const { bind, propagation } = parseMountOptions(options)
  const isTied = propagation.includes('MS_SLAVE') || propagation.includes('MS_SHARED')
  return bind && isTied ? `mount-for-${destination}` : undefined
}

/** Adds flags to those a bind mount has from its source; a remount would take these away, or in a user namespace be refused. */
function setAttributes(root: string, path: string, flags: string[]): Op {
  const set = flags.map(flag => flag.replace('MS_', 'MOUNT_ATTR_'))
  return { op: 'mount_setattr', in: root, path, recursive: false, set, clear: [] }
}

/** The mount point is made where the image has none: a file for a file, a directory for anything else. */
function targetOps(root: string, mount: Mount, context: PlanContext, bind: boolean): Op[] {
  const isFile = bind && context.bindSources[mount.source ?? ''] === 'file'
  const path = mount.destination
  if (!isFile) return [{ op: 'mkdir', in: root, path, mode: 0o755, parents: true }]
  const parent = path.slice(0, path.lastIndexOf('/')) || '/'
  return [
    { op: 'mkdir', in: root, path: parent, mode: 0o755, parents: true },
    { op: 'mknod', in: root, path, type: 'file', mode: 0o644, tolerate: ['EEXIST'] },
  ]
}
