// How a container is in a network: `--network` in its short and its long form, and the flags about the first network.

import type { EndpointWish, LinkWish, NetworkWish } from '../../containers/options.ts'
import { parseAddress } from '../../networks/address.ts'
import { parseMacAddress } from '../../networks/mac.ts'
import { MinictrError } from '../../system/error.ts'
import { parseCsv } from './csv.ts'
import type { RunFlagGroup } from './draft.ts'

export const endpointFlags: RunFlagGroup = {
  title: 'In its network',
  flags: [
    {
      name: 'ip',
      takes: 'string',
      about: 'IPv4 address (e.g., 172.30.100.104)',
      set: ({ options }, text) => {
        options.endpoint.ipv4Address = parseIp(text, 4)
      },
    },
    {
      name: 'ip6',
      takes: 'string',
      about: 'IPv6 address (e.g., 2001:db8::33)',
      set: ({ options }, text) => {
        options.endpoint.ipv6Address = parseIp(text, 6)
      },
    },
    {
      name: 'mac-address',
      takes: 'string',
      about: 'Container MAC address (e.g., 92:d0:c6:0a:29:33)',
      set: ({ options }, text) => {
        options.endpoint.macAddress = parseMac(text)
      },
    },
    {
      name: 'network-alias',
      takes: 'list',
      about: 'Add network-scoped alias for the container',
      set: ({ options }, alias) => addAlias(options.endpoint, alias),
    },
    {
      name: 'net-alias',
      isHidden: true,
      takes: 'list',
      about: 'Older spelling of --network-alias',
      set: ({ options }, alias) => addAlias(options.endpoint, alias),
    },
    {
      name: 'link',
      takes: 'list',
      about: 'Add link to another container (NAME[:ALIAS])',
      set: ({ options }, text) => {
        options.links.push(parseLink(text))
      },
    },
  ],
}

/**
 * Reads the value of `--network`: a name, or `name=web,alias=db,ip=10.0.0.9`. Throws MinictrError in Docker's words.
 * Source: docker/cli, opts/network.go.
 */
export function parseNetworkWish(text: string): NetworkWish {
  if (!/\w+=\w+/.test(text)) return { name: text, aliases: [] }
  const wish: NetworkWish = { name: '', aliases: [] }
  for (const field of parseCsv(text)) {
    const equals = field.indexOf('=')
    if (equals < 1) throw new MinictrError(`invalid field ${field}`)
    readField(wish, field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1).trim())
  }
  if (wish.name === '') throw new MinictrError('network name/id is not specified')
  return wish
}

function readField(wish: NetworkWish, key: string, value: string): void {
  switch (key) {
    case 'name':
      wish.name = value
      return
    case 'alias':
      addAlias(wish, value)
      return
    case 'ip':
      wish.ipv4Address = parseIp(value, 4)
      return
    case 'ip6':
      wish.ipv6Address = parseIp(value, 6)
      return
    case 'mac-address':
      wish.macAddress = parseMac(value)
      return
    case 'gw-priority':
      wish.gatewayPriority = parsePriority(value)
      return
    case 'driver-opt':
    case 'link-local-ip':
      throw new MinictrError(`minictr has no ${key} for a container's place in a network yet`)
    default:
      throw new MinictrError(`invalid field key ${key}`)
  }
}

/** Reads `gw-priority`. Throws MinictrError in Docker's words. */
export function parsePriority(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new MinictrError(`invalid gw-priority (${text}): invalid syntax`)
  return Number(text)
}

/** An alias is a name that others ask the network's DNS server for (RFC 1123, 2.1). Throws MinictrError for what is none. */
export function addAlias(wish: EndpointWish, alias: string): void {
  const label = '[a-zA-Z0-9_](?:[a-zA-Z0-9_-]*[a-zA-Z0-9_])?'
  if (!new RegExp(`^${label}(?:\\.${label})*$`).test(alias) || alias.length > 253) {
    throw new MinictrError(`invalid network alias ${JSON.stringify(alias)}: it is no name for a DNS server`)
  }
  wish.aliases.push(alias)
}

/** An address of the family. Throws MinictrError in Docker's words for what is none. */
export function parseIp(text: string, family: 4 | 6): string {
  if (parseAddress(text)?.family !== family) throw new MinictrError(`invalid IPv${family} address: ${text}`)
  return text
}

function parseMac(text: string): string {
  const address = parseMacAddress(text.trim())
  if (address === undefined) throw new MinictrError(`${text} is not a valid mac address`)
  return address
}

/** Reads the value of `--link`: `NAME` or `NAME:ALIAS`. Throws MinictrError in Docker's words. Source: docker/cli, opts/parse.go. */
export function parseLink(text: string): LinkWish {
  if (text === '') throw new MinictrError('empty string specified for links')
  const [container = '', alias = container, ...more] = text.split(':')
  if (more.length > 0 || container === '' || !/^[a-zA-Z0-9_.-]+$/.test(alias)) {
    throw new MinictrError(`bad format for links: ${text}`)
  }
  return { container, alias }
}
