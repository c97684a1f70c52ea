// What a plan needs to know about the machine it is made for. Probed in system/, passed around here as plain data.

export type { CgroupHierarchy, HostFacts, KernelVersion } from '../system/host-facts.ts'

import type { CgroupHierarchy, HostFacts } from '../system/host-facts.ts'

/** The hierarchy in which this host has the controller, if any. */
export function hierarchyOf(
  host: Pick<HostFacts, 'cgroups'>,
  controller: string,
): CgroupHierarchy | undefined {
  return host.cgroups.find(hierarchy => hierarchy.controllers.includes(controller))
}

/** The cgroup v2 hierarchy: the only one, or beside v1 on a hybrid host, or none. */
export function unifiedHierarchy(host: Pick<HostFacts, 'cgroups'>): CgroupHierarchy | undefined {
  return host.cgroups.find(hierarchy => hierarchy.version === 2)
}

/** Whether the kernel is this one or a later one. */
export function isKernelAtLeast(host: Pick<HostFacts, 'kernel'>, major: number, minor: number): boolean {
  return host.kernel.major > major || (host.kernel.major === major && host.kernel.minor >= minor)
}
