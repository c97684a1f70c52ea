// A container's place in a network, as it is written down while the container runs there.

import type { PortBinding } from './port-bindings.ts'

/** <run-root>/networks/<network id>/endpoints/<container id>.json. */
export type Endpoint = {
  /** 64 hexadecimal digits of its own, other ones at each start. */
  id: string
  containerId: string
  containerName: string
  networkId: string
  networkName: string
  /** What the link is called in the container: eth0. */
  interfaceName: string
  /** The host's end of the veth pair; links of other drivers have none. */
  linkName?: string
  /** Unknown where it is that of the link whose wire is shared. */
  macAddress?: string
  /** With the subnet's length: 172.18.0.2/16. */
  ipv4Address?: string
  ipv6Address?: string
  /** Where the network's way out is; an internal one has none. */
  ipv4Gateway?: string
  ipv6Gateway?: string
  aliases: string[]
  /** Under which the others of the network find it; none in the default network. */
  dnsNames: string[]
  /** In the network by which the container is reached from outside. */
  ports: PortBinding[]
}
