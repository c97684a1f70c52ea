// Changing the root: after this no path leads to the host's files any more (pivot_root(2)).

import type { Op } from '../op.ts'
import type { Spec } from '../spec.ts'
import type { Step } from '../step.ts'
import { containerStep } from './container-step.ts'

/** Makes the container's tree the root and lets go of the old one. */
export function pivotStep(spec: Spec): Step {
  return containerStep(
    'pivot-root',
    'chroot only changes where a path starts, and root can step out of it. pivot_root exchanges the root mount of the whole namespace; the old one, stacked on the new, is then detached and gone. Last of the mounts, because after it nothing of the host can be named.',
    [
      { op: 'chdir', path: spec.root.path },
      { op: 'pivot_root', newRoot: '.', putOld: '.' },
      { op: 'umount2', target: '.', flags: ['MNT_DETACH'] },
      { op: 'chdir', path: '/' },
    ],
  )
}

/** --read-only: the whole root, once every mount point in it has been made. */
export function readonlyRootStep(spec: Spec): Step[] {
  if (!spec.root.readonly) return []
  return [
    containerStep(
      'make-root-read-only',
      'The root may be read but not written, only mounts of their own (a volume, a tmpfs) may. After all mount points were made, because making one is a write.',
      [{ op: 'mount', source: '', target: '/', flags: ['MS_REMOUNT', 'MS_BIND', 'MS_RDONLY'] }],
    ),
  ]
}

/** Writes the kernel settings of the container's own namespaces. */
export function sysctlStep(spec: Spec): Step[] {
  const settings = Object.entries(spec.linux.sysctl ?? {})
  if (settings.length === 0) return []
  return [
    containerStep(
      'set-sysctls',
      'Kernel settings that belong to a namespace. Before /proc/sys becomes read-only.',
      settings.map(([name, value]): Op => {
        return { op: 'write_file', path: sysctlPath(name), content: value, how: 'existing' }
      }),
      'The settings belong to the namespace and end with it.',
    ),
  ]
}

/** net.ipv4.ip_forward is /proc/sys/net/ipv4/ip_forward; a name that has slashes already keeps its dots. */
function sysctlPath(name: string): string {
  return `/proc/sys/${name.includes('/') ? name : name.replaceAll('.', '/')}`
}

/** Makes the files of /proc that change the whole machine read-only. */
export function readonlyPathsStep(spec: Spec): Step[] {
  const paths = spec.linux.readonlyPaths ?? []
  if (paths.length === 0) return []
  return [
    containerStep(
      'make-paths-read-only',
      'These files of /proc act on the whole machine: readable, but not to be written from inside. Binding a path onto itself makes it a mount of its own, which can be read-only.',
      paths.flatMap((path): Op[] => [
        { op: 'mount', source: path, target: path, flags: ['MS_BIND', 'MS_REC'], tolerate: ['ENOENT'] },
        {
          op: 'mount',
          source: '',
          target: path,
          flags: ['MS_REMOUNT', 'MS_BIND', 'MS_RDONLY', 'MS_NOSUID', 'MS_NODEV', 'MS_NOEXEC'],
          tolerate: ['ENOENT'],
        },
      ]),
    ),
  ]
}

/** Covers the files of /proc and /sys that tell about the whole machine, while the host's /dev/null is to be had. */
export function maskPathsStep(spec: Spec): Step[] {
  const paths = spec.linux.maskedPaths ?? []
  if (paths.length === 0) return []
  return [
    containerStep(
      'mask-paths',
      'Some files are not even to be read: kernel memory, keys, the scheduler’s debug data. A file is covered with /dev/null, a directory with an empty read-only file system. With the host’s /dev/null, so before the root changes: the container’s may be a volume with what a hostile image put there, a link or a directory that covers nothing. It must be there: a path that is missing is passed over, and without the cover every path would seem to be.',
      [
        { op: 'open', path: '/dev/null', how: 'path', as: 'cover' },
        { op: 'close', slot: 'cover' },
        ...paths.flatMap(path => coverOps(spec.root.path, path)),
      ],
    ),
  ]
}

/** Read-only: root inside could change the mode of /dev/null otherwise, which is the host's own. */
function coverOps(root: string, path: string): Op[] {
  const place = { in: root, target: path, tolerate: ['ENOENT', 'ENOTDIR'] }
  const flags = ['MS_RDONLY', 'MS_NOSUID', 'MS_NOEXEC']
  return [
    { op: 'mount', source: 'tmpfs', ...place, type: 'tmpfs', flags, data: 'size=0k' },
    { op: 'mount', source: '/dev/null', ...place, flags: ['MS_BIND'] },
    { op: 'mount', source: '', ...place, flags: ['MS_REMOUNT', 'MS_BIND', ...flags] },
  ]
}
