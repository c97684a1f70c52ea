// How containers are called in a network, and the lines of /etc/hosts that say so.

/** How a container is called. */
export type Named = {
  containerId: string
  containerName: string
  /** `--hostname`, or the beginning of the id. */
  hostname: string
  domainname?: string
  /** `--network-alias`. */
  aliases: readonly string[]
}

/**
 * All names under which the others of a network find a container: its own, its aliases, the beginning of its id, its
 * hostname. Source: moby, daemon/network.go (buildEndpointDNSNames).
 */
export function namesOf({ containerName, aliases, containerId, hostname }: Named): string[] {
  return [...new Set([containerName, ...aliases, containerId.slice(0, 12), hostname])]
}

/**
 * The lines by which a container finds itself: for each address its hostname, with its domain first where it has one.
 * Source: moby, libnetwork/sandbox_dns_unix.go (updateHostsFile).
 */
export function ownHostsLines({ hostname, domainname }: Named, addresses: readonly string[]): string[] {
  const whole = domainname ? `${hostname}.${domainname}` : hostname
  const first = whole.split('.', 1)[0]!
  return addresses.map(address => hostsLine(address, first === whole ? [whole] : [whole, first]))
}

/** `172.18.0.2	web 0123456789ab`. */
export function hostsLine(address: string, names: readonly string[]): string {
  return `${address}\t${names.join(' ')}`
}
