// Which namespaces are new, which are another container's, and which stay the host's by not being named.

import type { HostFacts } from '../runtime/host.ts'
import type { Linux, NamespaceType } from '../runtime/spec.ts'
import type { JoinedContainer, RunOptions } from './options.ts'

type SpecNamespaces = Linux['namespaces']

/** The PID of a running container, by name or id, as the host sees it. Throws MinictrError where none runs. */
export type PidOf = (container: string) => number

/**
 * The namespaces of the OCI configuration. A control group namespace is the default where there is only cgroup v2, as in
 * Docker: on v1 programs expect to see the host's paths. Source: config-linux.md, "Namespaces"; moby,
 * daemon/oci_linux.go (WithNamespaces).
 */
export function chooseNamespaces(
  { network, namespaces }: Pick<RunOptions, 'network' | 'namespaces'>,
  isMapped: boolean,
  facts: HostFacts,
  pidOf: PidOf,
): SpecNamespaces {
  const { pid, ipc, uts, cgroup } = namespaces
  const ownCgroup = cgroup === 'private' || (cgroup === 'default' && isUnified(facts))
  return [
    { type: 'mount' },
    ...(isMapped ? [{ type: 'user' as const }] : []),
    ...namespace('network', network, pidOf),
    ...namespace('uts', uts, pidOf),
    ...namespace('pid', pid, pidOf),
    ...namespace('ipc', ipc, pidOf),
    ...(ownCgroup ? [{ type: 'cgroup' as const }] : []),
  ]
}

/** Whether this host has cgroup v2 and nothing else. */
function isUnified({ cgroups }: HostFacts): boolean {
  return cgroups.length > 0 && cgroups.every(({ version }) => version === 2)
}

function namespace(type: NamespaceType, mode: string | JoinedContainer, pidOf: PidOf): SpecNamespaces {
  if (mode === 'host') return []
  if (typeof mode === 'string') return [{ type }]
  const file = type === 'network' ? 'net' : type
  return [{ type, path: `/proc/${pidOf(mode.container)}/ns/${file}` }]
}
