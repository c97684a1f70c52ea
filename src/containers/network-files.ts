// /etc/hosts, /etc/hostname and /etc/resolv.conf of a container: what an image cannot know.

import type { ContainerFile } from '../runtime/context.ts'
import type { HostFiles } from './host-files.ts'
import { HOST_GATEWAY } from './options.ts'
import type { ContainerRecord } from './record.ts'

type Networked = Pick<ContainerRecord, 'networkMode' | 'naming'>

const localNames = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'ff00::0\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
]

/** What the networks of a container add to its files. */
export type NetworkNames = {
  /** Lines of /etc/hosts: links, and the container's own names. */
  hostsLines: string[]
  /** The DNS server that knows the others of its networks; none for the default network. */
  servers: string[]
  /** The address by which it reaches this host. */
  hostGateway?: string
}

/** The files, in the container's directory. `names` are missing where it is in no network. */
export function networkFiles(
  record: Networked,
  hostname: string,
  directory: string,
  host: HostFiles,
  names?: NetworkNames,
): ContainerFile[] {
  return [
    { path: `${directory}/hosts`, content: hostsFile(record, host, names), mode: 0o644 },
    { path: `${directory}/hostname`, content: `${hostname}\n`, mode: 0o644 },
    { path: `${directory}/resolv.conf`, content: resolverFile(record, host, names), mode: 0o644 },
  ]
}

/**
 * /etc/hosts: the names of loopback, those given, and those of the container's networks; with the host's network and none
 * given, the host's own file. Source: moby, libnetwork/etchosts and daemon/container_operations.go.
 */
export function hostsFile(
  { networkMode, naming: { extraHosts } }: Networked,
  host: HostFiles,
  names?: NetworkNames,
): string {
  const ofHost = networkMode === 'host' && extraHosts.length === 0 ? host.readText('/etc/hosts') : undefined
  if (ofHost !== undefined) return ofHost
  const extra = extraHosts.map(({ name, address }) => {
    return `${address === HOST_GATEWAY ? (names?.hostGateway ?? address) : address}\t${name}`
  })
  return lines([...localNames, ...extra, ...(names?.hostsLines ?? [])])
}

/** Where systemd-resolved keeps the servers it asks itself; /etc/resolv.conf then names only its stub. */
const RESOLVED_FILE = '/run/systemd/resolve/resolv.conf'
const RESOLVED_STUB = '127.0.0.53'
/** What Docker writes where a host has no server that a container could reach. */
const publicServers = ['8.8.8.8', '8.8.4.4', '2001:4860:4860::8888', '2001:4860:4860::8844']

/**
 * /etc/resolv.conf: the host's, with what was given in place of its servers, search domains or options. A server on the
 * host's loopback is another machine's in a network of the container's own, so it is left out there. Networks with names have
 * a DNS server that comes before all others, and names without a dot are asked for as they are. Source: moby,
 * libnetwork/resolvconf and sandbox_dns_unix.go.
 */
export function resolverFile(
  { networkMode, naming }: Networked,
  host: HostFiles,
  names?: NetworkNames,
): string {
  const { dnsServers, dnsSearch, dnsOptions } = naming
  const isCustom = dnsServers.length + dnsSearch.length + dnsOptions.length > 0
  const ofNetwork = names?.servers ?? []
  if (networkMode === 'host' && !isCustom) return host.readText('/etc/resolv.conf') ?? ''
  const source = sourceOf(host)
  const reachable = networkMode === 'host' ? source : withoutLocalServers(source)
  if (!isCustom && ofNetwork.length === 0) return reachable
  const searched = dnsSearch.length > 0 ? dnsSearch : valuesOf(source, 'search').slice(-1)
  const chosen = dnsOptions.length > 0 ? dnsOptions : valuesOf(source, 'options').slice(-1)
  return resolverLines({
    search: searched.join(' ').trim(),
    servers: [ofNetwork, dnsServers].find(each => each.length > 0) ?? valuesOf(reachable, 'nameserver'),
    options: ofNetwork.length > 0 ? withoutDots(chosen) : chosen,
  })
}

/** The servers of the host that a network namespace of its own can reach. */
export function reachableServers(host: Pick<HostFiles, 'readText'>): string[] {
  return valuesOf(withoutLocalServers(sourceOf(host)), 'nameserver')
}

function sourceOf(host: Pick<HostFiles, 'readText'>): string {
  const ofHost = host.readText('/etc/resolv.conf') ?? ''
  return isStubOnly(ofHost) ? host.readText(RESOLVED_FILE) || ofHost : ofHost
}

function resolverLines(file: { search: string; servers: string[]; options: string[] }): string {
  const { search, servers, options } = file
  return lines([
    ...(search === '' || search === '.' ? [] : [`search ${search}`]),
    ...servers.map(each => `nameserver ${each}`),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}`]),
  ])
}

/** A name is asked for as it is before search domains are tried behind it, however few dots it has. */
function withoutDots(options: string[]): string[] {
  return options.some(option => option.includes('ndots:')) ? options : [...options, 'ndots:0']
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
