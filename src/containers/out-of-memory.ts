// Whether the kernel has killed processes of a container for want of memory: its cgroup counts them, as long as it is there.

import { readFileSync } from 'node:fs'
import { type HostFacts, hierarchyOf } from '../runtime/host.ts'
import { errnoOf } from '../system/errno.ts'

/** Whether it has killed any. Source: the kernel's cgroup-v2.rst (memory.events), memcg_v1 (memory.oom_control). */
export function wasOutOfMemory(containerId: string, host: Pick<HostFacts, 'cgroups'>): boolean {
  const hierarchy = hierarchyOf(host, 'memory')
  if (!hierarchy) return false
  const file = hierarchy.version === 1 ? 'memory.oom_control' : 'memory.events'
  try {
    const text = readFileSync(`${hierarchy.mountPoint}/minictr/${containerId}/${file}`, 'latin1')
    return /^oom_kill [1-9]/m.test(text)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV') return false
    throw error
  }
}
