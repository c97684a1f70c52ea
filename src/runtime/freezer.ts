// Freezing a cgroup: its processes stand still where they are until they are let go on. Which file takes which word, in both
// versions (cgroups(7); the kernel's cgroup-v1/freezer-subsystem and cgroup-v2).

import type { HostFacts } from './host.ts'

export type Freezer = {
  /** The file that takes one of two words. */
  path: string
  frozen: string
  thawed: string
  /** Where the kernel says that it is so, by one of two lines. */
  statePath: string
  frozenLine: string
  thawedLine: string
}

/** The freezer of a cgroup: that of v1 where the host has one, else v2's. */
export function freezerOf(cgroupsPath: string, { cgroups }: Pick<HostFacts, 'cgroups'>): Freezer {
  const legacy = cgroups.find(({ controllers }) => controllers.includes('freezer'))
  if (legacy) {
    const path = `${legacy.mountPoint}${cgroupsPath}/freezer.state`
    const [frozen, thawed] = ['FROZEN', 'THAWED'] as const
    return { path, frozen, thawed, statePath: path, frozenLine: frozen, thawedLine: thawed }
  }
  const directory = `${cgroups.find(({ version }) => version === 2)?.mountPoint ?? ''}${cgroupsPath}`
  return {
    path: `${directory}/cgroup.freeze`,
    frozen: '1',
    thawed: '0',
    statePath: `${directory}/cgroup.events`,
    frozenLine: 'frozen 1',
    thawedLine: 'frozen 0',
  }
}
