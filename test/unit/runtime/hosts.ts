// Facts of three kinds of machine, as the tests of steps need them.

import type { HostFacts } from '../../../src/runtime/host.ts'

const legacyMounts = [
  'cpu,cpuacct',
  'cpuset',
  'memory',
  'devices',
  'freezer',
  'blkio',
  'pids',
  'name=systemd',
] as const

const common = {
  architecture: 'amd64',
  kernel: { major: 6, minor: 12 },
  boundingSet: (1n << 41n) - 1n,
  swapLimit: true,
  thermalPaths: [] as string[],
} as const

/** All controllers on v1, an empty v2 beside them. */
export const hybridHost: HostFacts = {
  ...common,
  cgroups: [
    ...legacyMounts.map(names => ({
      version: 1 as const,
      mountPoint: `/sys/fs/cgroup/${names.replace('name=', '')}`,
      controllers: names.split(','),
      passedOn: [],
    })),
    { version: 2, mountPoint: '/sys/fs/cgroup/unified', controllers: ['hugetlb'], passedOn: [] },
  ],
  cpuset: { cpus: '0-3', mems: '0' },
  blockWeightFile: 'blkio.bfq.weight',
}

/** Everything on v2, as a Debian of today starts. */
export const unifiedHost: HostFacts = {
  ...common,
  cgroups: [
    {
      version: 2,
      mountPoint: '/sys/fs/cgroup',
      controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'],
      passedOn: ['cpu', 'memory', 'pids'],
    },
  ],
  blockWeightFile: 'io.weight',
}

/** A machine on which somebody mounted nothing. */
export const bareHost: HostFacts = { ...common, cgroups: [], swapLimit: false }
