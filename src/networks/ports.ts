// Ports as they are typed: published (`-p 127.0.0.1:8080-8081:80-81/tcp`) and exposed (`--expose 80`, EXPOSE of an image).

import { MinictrError } from '../system/error.ts'
import { parseAddress } from './address.ts'

export type Protocol = 'tcp' | 'udp' | 'sctp'

/** A port of a container. */
export type Port = { port: number; protocol: Protocol }

export type PortRange = { first: number; last: number }

/** A port of a container that a port of the host is to lead to. */
export type PortWish = Port & {
  /** One of the host's addresses; undefined for all. */
  hostAddress?: string
  /** One port, or several of which a free one is chosen; undefined for any. */
  hostPorts?: PortRange
}

export const HIGHEST = 65_535

/**
 * Reads the value of `--publish`: `[[ADDRESS:][HOST[-HOST]]:]PORT[-PORT][/PROTOCOL]`, an IPv6 address in brackets or not, or
 * `published=…,target=…,protocol=…`. Throws MinictrError in Docker's words. Source: github.com/docker/go-connections,
 * nat/nat.go (ParsePortSpec); docker/cli, container/opts.go (convertToStandardNotation).
 */
export function parsePublish(given: string): PortWish[] {
  const text = given.includes('=') ? fromFields(given) : given
  const parts = text.split(':')
  const [target, hostText = ''] = [parts.pop()!, parts.pop()]
  const [portText, protocolText] = splitProtocol(target)
  if (portText === '') throw new MinictrError(`no port specified: ${text}<empty>`)
  const protocol = parseProtocol(protocolText)
  const hostAddress = parseHostAddress(parts.join(':'))
  const ports = parseRange(portText)
  if (!ports || ports.first === 0) throw new MinictrError(`invalid containerPort: ${portText}`)
  const hostPorts = hostText === '' ? undefined : parseRange(hostText)
  if (hostText !== '' && !hostPorts) throw new MinictrError(`invalid hostPort: ${hostText}`)
  const count = ports.last - ports.first
  if (hostPorts && hostPorts.last - hostPorts.first !== count && count > 0) {
    throw new MinictrError(
      `invalid ranges specified for container and host Ports: ${portText} and ${hostText}`,
    )
  }
  return portsOf(ports, protocol).map((port, index) => ({
    ...port,
    ...(hostAddress !== undefined && { hostAddress }),
    ...(hostPorts &&
      hostPorts.last > 0 && { hostPorts: count > 0 ? only(hostPorts.first + index) : hostPorts }),
  }))
}

function only(port: number): PortRange {
  return { first: port, last: port }
}

/** The long form, in the short one's words. */
function fromFields(given: string): string {
  const fields: Record<string, string> = { published: '', target: '', protocol: 'tcp' }
  for (const field of given.split(',')) {
    const [key, value] = field.split('=')
    if (value === undefined) {
      throw new MinictrError(`invalid publish opts format (should be name=value but got '${field}')`)
    }
    fields[key!] = value
  }
  return `${fields.published}:${fields.target}/${fields.protocol}`
}

function parseHostAddress(text: string): string | undefined {
  if (text === '') return undefined
  if (text.startsWith('[') && !text.endsWith(']')) {
    throw new MinictrError(`invalid IP address ${text}: address ${text}: missing ']' in address`)
  }
  const address = text.replace(/^\[(.*)\]$/, '$1')
  if (!parseAddress(address)) throw new MinictrError(`invalid IP address: ${address}`)
  return address
}

/**
 * Reads the value of `--expose`: `PORT[-PORT][/PROTOCOL]`. Throws MinictrError in Docker's words. Source: docker/cli,
 * container/opts.go (parse).
 */
export function parseExpose(text: string): Port[] {
  if (text.includes(':')) throw new MinictrError(`invalid port format for --expose: ${text}`)
  const [range, protocol] = splitProtocol(text)
  const ports = parseRange(range)
  if (!ports || ports.first === 0) {
    throw new MinictrError(`invalid range format for --expose: ${text}, error: ${reasonAgainst(range)}`)
  }
  return portsOf(ports, parseProtocol(protocol))
}

function reasonAgainst(range: string): string {
  if (range === '') return 'empty string specified for ports'
  const wrong = range.split('-').find(part => !/^\d+$/.test(part))
  if (wrong !== undefined) return `strconv.ParseUint: parsing ${JSON.stringify(wrong)}: invalid syntax`
  const large = range.split('-').find(part => Number(part) > HIGHEST)
  if (large !== undefined) return `strconv.ParseUint: parsing ${JSON.stringify(large)}: value out of range`
  return `invalid range specified for port: ${range}`
}

/** The ports of `ExposedPorts` of an image's configuration; what is none is passed over, as nobody here wrote it. */
export function parseImagePorts(exposed: Record<string, unknown>): Port[] {
  return Object.keys(exposed).flatMap(text => {
    try {
      return parseExpose(text)
    } catch (error) {
      if (error instanceof MinictrError) return []
      throw error
    }
  })
}

function splitProtocol(text: string): [ports: string, protocol: string] {
  const slash = text.indexOf('/')
  return slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)]
}

function parseProtocol(text: string): Protocol {
  const protocol = text.toLowerCase() || 'tcp'
  if (protocol === 'tcp' || protocol === 'udp' || protocol === 'sctp') return protocol
  throw new MinictrError(`invalid proto: ${protocol}`)
}

function parseRange(text: string): PortRange | undefined {
  const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text)
  if (!match) return undefined
  const first = Number(match[1])
  const last = Number(match[2] ?? match[1])
  return first <= last && last <= HIGHEST ? { first, last } : undefined
}

function portsOf({ first, last }: PortRange, protocol: Protocol): Port[] {
  return Array.from({ length: last - first + 1 }, (_, index) => ({ port: first + index, protocol }))
}

/** `80/tcp`, as configurations and `inspect` name a port. */
export function portName({ port, protocol }: Port): string {
  return `${port}/${protocol}`
}
