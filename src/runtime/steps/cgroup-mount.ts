// /sys/fs/cgroup inside a container: its own cgroup as files, so that programs can read their limits.

import { type CgroupHierarchy, type HostFacts, unifiedHierarchy } from '../host.ts'
import { parseMountOptions } from '../mount-options.ts'
import type { Op } from '../op.ts'
import type { Mount, Spec } from '../spec.ts'

/**
 * The ops of a mount of type cgroup. On cgroup v2 that is one mount. Where v1 is, alone or beside v2, it is a directory
 * for each hierarchy as on the host, and links for controllers that share one (`cpu` -> `cpu,cpuacct`). Inside a cgroup
 * namespace each mount shows the container's cgroup as its root; without one, v1 gets the container's directory by a
 * bind mount. Source: config-linux.md (OCI), cgroup_namespaces(7); layout as runc makes it.
 */
export function cgroupMountOps(spec: Pick<Spec, 'root' | 'linux'>, mount: Mount, host: HostFacts): Op[] {
  const root = spec.root.path
  const target = mount.destination
  const { flags } = parseMountOptions(mount.options ?? [])
  const mountPoint: Op = { op: 'mkdir', in: root, path: target, mode: 0o755, parents: true }
  const legacy = host.cgroups.filter(({ version }) => version === 1)
  if (legacy.length === 0) {
    if (!unifiedHierarchy(host)) return []
    return [mountPoint, { op: 'mount', source: 'cgroup2', in: root, target, type: 'cgroup2', flags }]
  }
  const ownNamespace = spec.linux.namespaces.some(({ type }) => type === 'cgroup')
  const cgroup = ownNamespace ? undefined : spec.linux.cgroupsPath
  const writable = flags.filter(flag => flag !== 'MS_RDONLY')
  const base: Op = {
    op: 'mount',
    source: 'tmpfs',
    in: root,
    target,
    type: 'tmpfs',
    flags: writable,
    data: 'mode=755',
  }
  return [
    mountPoint,
    base,
    ...legacy.flatMap(hierarchy => hierarchyOps(root, target, hierarchy, flags, cgroup)),
    ...legacy.flatMap(hierarchy => linkOps(root, target, hierarchy)),
    ...(flags.includes('MS_RDONLY') ? [remount(root, target, flags)] : []),
  ]
}

function hierarchyOps(
  root: string,
  base: string,
  hierarchy: CgroupHierarchy,
  flags: string[],
  cgroup: string | undefined,
): Op[] {
  const target = `${base}/${directoryName(hierarchy)}`
  const directory: Op = { op: 'mkdir', in: root, path: target, mode: 0o755 }
  if (cgroup === undefined) {
    const data = hierarchy.controllers.join(',')
    return [directory, { op: 'mount', source: 'cgroup', in: root, target, type: 'cgroup', flags, data }]
  }
  return [
    directory,
    { op: 'mount', source: hierarchy.mountPoint + cgroup, in: root, target, flags: ['MS_BIND'] },
    remount(root, target, flags),
  ]
}

function remount(root: string, target: string, flags: string[]): Op {
  return { op: 'mount', source: '', in: root, target, flags: ['MS_REMOUNT', 'MS_BIND', ...flags] }
}

function linkOps(root: string, base: string, hierarchy: CgroupHierarchy): Op[] {
  const directory = directoryName(hierarchy)
  return hierarchy.controllers
    .filter(name => name !== directory && !name.startsWith('name='))
    .map(name => ({ op: 'symlink', in: root, path: `${base}/${name}`, target: directory }))
}

/** The last part of the host's mount point: programs look for `memory` or `cpu,cpuacct`. */
function directoryName({ mountPoint }: CgroupHierarchy): string {
  return mountPoint.slice(mountPoint.lastIndexOf('/') + 1)
}
