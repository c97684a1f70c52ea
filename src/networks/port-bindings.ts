// Which port of the host leads to which port of a container: decided, and refused where somebody has it, before anything
// is made.

import { MinictrError } from '../system/error.ts'
import { parseAddress } from './address.ts'
import { HIGHEST, type Port, type PortRange, type PortWish, type Protocol, portName } from './ports.ts'

/** One port of the host, at one of its addresses (`0.0.0.0` and `::` are all of a family). */
export type PortBinding = Port & { hostAddress: string; hostPort: number }

/** A port of the host that somebody has. */
export type TakenPort = {
  protocol: Protocol
  address: string
  port: number
  /** A container of minictr's by its name; undefined for a program of the host. */
  container?: string
  /** Finds out what is known of such a program: `nginx (PID 812)`. Asked only to tell it. */
  program?(): string
}

export type PortRequest = {
  /** `-p`. */
  published: readonly PortWish[]
  /** What the image and `--expose` name. */
  exposed: readonly Port[]
  /** `-P`: the exposed ports are published too, unless `-p` has done so. */
  publishesAll: boolean
  /** Where ports are bound that name no address: 0.0.0.0, and :: where there is IPv6. */
  hostAddresses: readonly string[]
  taken: readonly TakenPort[]
  /** Of ip_local_port_range (ip(7)): where a port comes from that nobody names. */
  ephemeral: PortRange
}

/**
 * The ports of a container, in the order they were asked for. Throws MinictrError, in Docker's words and with who has it,
 * for a port that is taken. Source: moby, libnetwork/portallocator, drivers/bridge/port_mapping_linux.go.
 */
export function choosePorts(request: PortRequest): PortBinding[] {
  const { published, exposed, publishesAll, hostAddresses, taken, ephemeral } = request
  const isPublished = (port: Port) => published.some(wish => portName(wish) === portName(port))
  const wishes: PortWish[] = [
    ...published,
    ...(publishesAll ? exposed.filter(port => !isPublished(port)) : []),
  ]
  const own: TakenPort[] = []
  const bound = new Map<PortWish, PortBinding[]>()
  // A range leaves the port that another wish names, whichever stands first.
  for (const wish of withoutRepeats(wishes).toSorted(fewestChoicesFirst)) {
    const { port, protocol } = wish
    const addresses = wish.hostAddress === undefined ? hostAddresses : [wish.hostAddress]
    const hostPort = choosePort(wish, addresses, [...taken, ...own], ephemeral)
    own.push(...addresses.map(address => ({ protocol, address, port: hostPort })))
    bound.set(
      wish,
      addresses.map(hostAddress => ({ port, protocol, hostAddress, hostPort })),
    )
  }
  return wishes.flatMap(wish => bound.get(wish) ?? [])
}

function fewestChoicesFirst(a: PortWish, b: PortWish): number {
  const [first, second] = [a, b].map(({ hostPorts }) =>
    hostPorts === undefined ? HIGHEST : hostPorts.last - hostPorts.first,
  )
  return first! - second!
}

/** The first of the ports asked for that is free at all of the addresses. */
function choosePort(
  { protocol, hostPorts }: PortWish,
  addresses: readonly string[],
  taken: readonly TakenPort[],
  ephemeral: PortRange,
): number {
  const { first, last } = hostPorts ?? ephemeral
  let holder: TakenPort | undefined
  for (let port = first; port <= last; port++) {
    const found = addresses.flatMap(address => ownerOf({ protocol, address, port }, taken) ?? [])[0]
    if (found === undefined) return port
    holder ??= found
  }
  const where = bracketed(addresses[0]!)
  if (first === last) throw portTaken(holder!, `${where}:${first}`)
  throw new MinictrError(`Bind for ${where}:${first}-${last} failed: all ports are allocated`)
}

/** Who has a port, or one that includes it: at 0.0.0.0 a port is taken if it is at any address. */
export function ownerOf(
  { protocol, address, port }: Pick<TakenPort, 'protocol' | 'address' | 'port'>,
  taken: readonly TakenPort[],
): TakenPort | undefined {
  return taken.find(
    other => other.port === port && other.protocol === protocol && overlap(other.address, address),
  )
}

function overlap(a: string, b: string): boolean {
  const [first, second] = [parseAddress(a)!, parseAddress(b)!]
  return (
    first.family === second.family &&
    (first.value === second.value || first.value === 0n || second.value === 0n)
  )
}

/** The error for a port that somebody has; `where` is `0.0.0.0:8080`. */
export function portTaken(holder: TakenPort, where: string): MinictrError {
  const { protocol, container } = holder
  if (container !== undefined) {
    return new MinictrError(`Bind for ${where} failed: port is already allocated`, {
      remedy: `Container ${container} has it: publish another port, or minictr stop ${container}`,
    })
  }
  if (holder.program) {
    return new MinictrError(`failed to bind host port ${where}/${protocol}: address already in use`, {
      remedy: `It is in use by ${holder.program()}: publish another port, or stop that program.`,
    })
  }
  return new MinictrError(`Bind for ${where} failed: port is already allocated`, {
    remedy: 'The same port of the host was asked for twice.',
  })
}

/** An address before a colon. */
export function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** A port that is asked for twice in the same words is one. */
function withoutRepeats(wishes: PortWish[]): PortWish[] {
  const seen = new Set<string>()
  return wishes.filter(wish => {
    if (wish.hostPorts === undefined) return true
    const words = JSON.stringify([portName(wish), wish.hostAddress, wish.hostPorts])
    return !seen.has(words) && seen.add(words)
  })
}
