// Deciding whether a container has a DNS server of its own, and what that one knows.

import { hasNames } from '../networks/new-endpoint.ts'
import { needsResolver, removeResolverRules, resolverCommand, resolverRules } from '../networks/resolver.ts'
import type { PlannedResolver } from '../runtime/planned-networks.ts'
import { DNSMASQ } from './missing-networks.ts'
import { reachableServers } from './network-files.ts'
import type { Join } from './network-places.ts'
import type { NetworkSurroundings } from './networks.ts'

/** `ordered` are its networks, the best way out first; undefined where the servers of its networks are enough. */
export function plannedResolver(
  containerId: string,
  ordered: readonly Join[],
  dnsServers: readonly string[],
  { store, host }: NetworkSurroundings,
): PlannedResolver | undefined {
  const networks = ordered.map(({ network }) => network)
  if (!needsResolver(networks, dnsServers)) return undefined
  const pidFile = store.resolverPidFile(containerId)
  const directories = networks.filter(hasNames).map(({ id }) => store.nameServer(id).hosts)
  const argv = resolverCommand({
    networks,
    dnsServers,
    hostServers: reachableServers(host),
    hostsDirectories: directories,
    pidFile,
  })
  return {
    directories,
    pidFile,
    candidates: DNSMASQ,
    argv,
    addRules: resolverRules,
    removeRules: removeResolverRules,
  }
}
