// /etc/hosts, /etc/hostname and /etc/resolv.conf of a container: what an image cannot know.

import type { HostFiles } from './host-files.ts'
import type { RunOptions } from './options.ts'

type NetworkOptions = Pick<RunOptions, 'network' | 'extraHosts' | 'dnsServers' | 'dnsSearch' | 'dnsOptions'>

const localNames = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'ff00::0\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
]

/**
 * /etc/hosts: the names of loopback and those given; with the host's network and none given, the host's own file. Source:
 * moby, libnetwork/etchosts and daemon/container_operations.go.
 */
export function hostsFile({ network, extraHosts }: NetworkOptions, host: HostFiles): string {
  const ofHost = network === 'host' && extraHosts.length === 0 ? host.readText('/etc/hosts') : undefined
  if (ofHost !== undefined) return ofHost
  return lines([...localNames, ...extraHosts.map(({ name, address }) => `${address}\t${name}`)])
}

/** Where systemd-resolved keeps the servers it asks itself; /etc/resolv.conf then names only its stub. */
const RESOLVED_FILE = '/run/systemd/resolve/resolv.conf'
const RESOLVED_STUB = '127.0.0.53'
/** What Docker writes where a host has no server that a container could reach. */
const publicServers = ['8.8.8.8', '8.8.4.4', '2001:4860:4860::8888', '2001:4860:4860::8844']

/**
 * /etc/resolv.conf: the host's, with what was given in place of its servers, search domains or options. A server on the
 * host's loopback is another machine's in a network of the container's own, so it is left out there. Source: moby,
 * libnetwork/resolvconf and sandbox_dns_unix.go.
 */
export function resolverFile(options: NetworkOptions, host: HostFiles): string {
  const { network, dnsServers, dnsSearch, dnsOptions } = options
  const isCustom = dnsServers.length + dnsSearch.length + dnsOptions.length > 0
  const ofHost = host.readText('/etc/resolv.conf') ?? ''
  if (network === 'host' && !isCustom) return ofHost
  const source = isStubOnly(ofHost) ? (host.readText(RESOLVED_FILE) ?? ofHost) : ofHost
  if (!isCustom) return withoutLocalServers(source)
  const search = dnsSearch.length > 0 ? dnsSearch : valuesOf(source, 'search').slice(-1)
  const searched = search.join(' ').trim()
  return lines([
    ...(searched === '' || searched === '.' ? [] : [`search ${searched}`]),
    ...(dnsServers.length > 0 ? dnsServers : valuesOf(source, 'nameserver')).map(
      each => `nameserver ${each}`,
    ),
    ...optionLine(dnsOptions.length > 0 ? dnsOptions : valuesOf(source, 'options').slice(-1)),
  ])
}

function optionLine(options: string[]): string[] {
  return options.length === 0 ? [] : [`options ${options.join(' ')}`]
}

function isStubOnly(text: string): boolean {
  return valuesOf(text, 'nameserver').join() === RESOLVED_STUB
}

/** What follows a keyword, one for each of its lines (resolv.conf(5)). */
function valuesOf(text: string, keyword: string): string[] {
  return text.split('\n').flatMap(line => {
    const [first, ...rest] = line.trim().split(/\s+/)
    return first === keyword && rest.length > 0 ? [rest.join(' ')] : []
  })
}

function withoutLocalServers(text: string): string {
  const isLocal = (line: string) => /^\s*nameserver\s+(127\.|::1\s*$|fe80:|.*%)/i.test(line)
  const kept = text.split('\n').filter(line => !isLocal(line))
  const filtered = kept.join('\n')
  if (valuesOf(filtered, 'nameserver').length > 0) return filtered
  const rest = kept.filter(line => line.trim() !== '')
  return lines([...rest, ...publicServers.map(each => `nameserver ${each}`)])
}

function lines(each: string[]): string {
  return each.map(line => `${line}\n`).join('')
}
