// --add-host: a further line of /etc/hosts.

import { HOST_GATEWAY, type RunOptions } from '../../containers/options.ts'
import { MinictrError } from '../../system/error.ts'

/**
 * Reads `name:address` or `name=address`, where an IPv6 address may stand in brackets, and `host-gateway` for the address by
 * which containers reach this host. Throws MinictrError in Docker's words. Source: docker/cli, opts/hosts.go.
 */
export function parseExtraHost(text: string): RunOptions['extraHosts'][number] {
  const [, name, given] = /^([^:=]+)[:=](.+)$/.exec(text) ?? []
  if (name === undefined || given === undefined) {
    throw new MinictrError(`bad format for add-host: ${JSON.stringify(text)}`)
  }
  const address = given.replace(/^\[(.*)\]$/, '$1')
  if (given !== HOST_GATEWAY && !isAddress(address)) {
    throw new MinictrError(`invalid IP address in add-host: ${JSON.stringify(given)}`)
  }
  return { name, address }
}

/** Whether the text is an address; one with a zone (fe80::1%eth0) means nothing to a container. */
export function isAddress(text: string): boolean {
  return process.getBuiltinModule('node:net').isIP(text) !== 0 && !text.includes('%')
}
