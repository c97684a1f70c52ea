// `--link NAME:ALIAS`: how containers of the default network, which has no DNS server, get to know of others: lines of
// /etc/hosts, which follow a linked container that starts again, and environment variables as of the container's start.

import { hostsLine } from './names.ts'
import type { Port } from './ports.ts'

/** A container that another one is told of. */
export type LinkedContainer = {
  /** What the other one calls it. */
  alias: string
  id: string
  name: string
  address: string
  /** `NAME=value` each, as it was configured. */
  environment: readonly string[]
  /** Of its image, `--expose` and `-p`. */
  ports: readonly Port[]
}

/** The line of /etc/hosts: alias, beginning of the id, name. Source: moby, daemon/container_operations_unix.go. */
export function linkHostsLine({ alias, id, name, address }: LinkedContainer): string {
  return hostsLine(address, [...new Set([alias, id.slice(0, 12), name])])
}

/** These say nothing of a container that another one could use. */
const UNTOLD = ['HOME', 'PATH']

/**
 * The environment variables of a link: ALIAS_PORT_80_TCP_ADDR and the like for each port, ALIAS_NAME, and the linked
 * container's own variables as ALIAS_ENV_…. `containerName` is the name of the container that gets them. Source: moby,
 * daemon/links/links.go (ToEnv).
 */
export function linkEnvironment(linked: LinkedContainer, containerName: string): string[] {
  const { alias, environment } = linked
  const prefix = alias.toUpperCase().replaceAll('-', '_')
  const told = environment.flatMap(variable => {
    const equals = variable.indexOf('=')
    return equals < 0 || UNTOLD.includes(variable.slice(0, equals)) ? [] : [`${prefix}_ENV_${variable}`]
  })
  return [...portVariables(prefix, linked), `${prefix}_NAME=/${containerName}/${alias}`, ...told]
}

function portVariables(prefix: string, { address, ports }: LinkedContainer): string[] {
  const sorted = ports.toSorted(tcpFirst)
  const url = ({ port, protocol }: Port) => `${protocol}://${address}:${port}`
  const nameOf = ({ port, protocol }: Port) => `${prefix}_PORT_${port}_${protocol.toUpperCase()}`
  const variables = sorted.slice(0, 1).map(port => `${prefix}_PORT=${url(port)}`)
  let start = 0
  for (const [index, port] of sorted.entries()) {
    const name = nameOf(port)
    variables.push(
      `${name}=${url(port)}`,
      `${name}_ADDR=${address}`,
      `${name}_PORT=${port.port}`,
      `${name}_PROTO=${port.protocol}`,
    )
    const next = sorted[index + 1]
    if (next?.port === port.port + 1 && next.protocol === port.protocol) continue
    // Neighbours are told as a range too.
    const first = sorted[start]!
    if (index > start) {
      variables.push(
        `${nameOf(first)}_START=${url(first)}`,
        `${nameOf(first)}_PORT_START=${first.port}`,
        `${nameOf(first)}_END=${url(port)}`,
        `${nameOf(first)}_PORT_END=${port.port}`,
      )
    }
    start = index + 1
  }
  return variables
}

function tcpFirst(a: Port, b: Port): number {
  if (a.protocol === b.protocol) return a.port - b.port
  if (a.protocol === 'tcp' || b.protocol === 'tcp') return a.protocol === 'tcp' ? -1 : 1
  return a.protocol < b.protocol ? -1 : 1
}
