// Whether the kernel has killed processes of a container for want of memory: its cgroup counts them, as long as it is there.

import { readFileSync } from 'node:fs'
import { type HostFacts, hierarchyOf } from '../runtime/host.ts'
import { errnoOf } from '../system/errno.ts'

/** Whether it has killed any. Source: the kernel's cgroup-v2.rst (memory.events), memcg_v1 (memory.oom_control). */
export function wasOutOfMemory(containerId: string, host: Pick<HostFacts, 'cgroups'>): boolean {
  const file = memoryEventFile(containerId, host)
  return file !== undefined && tellsOfKills(memoryEvents(file))
}

/** Whether what such a file says is of processes that were killed. */
export function tellsOfKills(events: string): boolean {
  return /^oom_kill [1-9]/m.test(events)
}

/** The file in which the kernel counts them; undefined where it counts no memory. */
export function memoryEventFile(containerId: string, host: Pick<HostFacts, 'cgroups'>): string | undefined {
  const hierarchy = hierarchyOf(host, 'memory')
  const name = hierarchy?.version === 1 ? 'memory.oom_control' : 'memory.events'
  return hierarchy && `${hierarchy.mountPoint}/minictr/${containerId}/${name}`
}

/** What that file says; nothing once the cgroup is gone. */
export function memoryEvents(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV') return ''
    throw error
  }
}
