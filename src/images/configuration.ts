// What the administrator configures about registries: mirrors, insecure ones, and certificates of private authorities.

import { lookup } from 'node:dns/promises'
import { readdirSync, readFileSync } from 'node:fs'
import { BlockList, isIP } from 'node:net'
import { dirname, join } from 'node:path'
import { MinictrError } from '../system/error.ts'
import { readConfigurationFile } from './configuration-file.ts'

export type Configuration = {
  /** Asked before docker.io, in this order: `https://mirror.example`. */
  registryMirrors: string[]
  /** Hosts (`host`, `host:port`) and networks (`10.0.0.0/8`) whose certificates are not checked, or that have none. */
  insecureRegistries: string[]
  /** Holds HOST[:PORT]/*.crt, the authorities to trust for that registry besides the system's. */
  certificatesDirectory: string
}

/**
 * Reads the configuration file: a JSON object with Docker's daemon.json keys `registry-mirrors` and
 * `insecure-registries`. The default file may be missing, another one may not. Throws MinictrError naming file and key.
 * Certificates lie beside the file, in `certs.d`, as in /etc/docker/certs.d. Source: dockerd(8).
 */
export function readConfiguration(file: string): Configuration {
  const { 'registry-mirrors': mirrors, 'insecure-registries': insecure } = readConfigurationFile(file)
  const registryMirrors = textList(file, 'registry-mirrors', mirrors)
  const insecureRegistries = textList(file, 'insecure-registries', insecure)
  for (const mirror of registryMirrors) checkMirror(file, mirror)
  for (const registry of insecureRegistries) checkInsecure(file, registry)
  return { registryMirrors, insecureRegistries, certificatesDirectory: join(dirname(file), 'certs.d') }
}

/** Whether the host of `host[:port]` is this machine itself. */
export function isLoopback(host: string): boolean {
  const name = hostName(host)
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    (isIP(name) === 4 && name.startsWith('127.')) ||
    name === '::1'
  )
}

/**
 * Whether certificates of `host[:port]` go unchecked: it is loopback or configured as insecure, by name, by name and
 * port, or by a network that one of its addresses is in. Source: dockerd(8), --insecure-registry.
 */
export async function isInsecure(host: string, { insecureRegistries }: Configuration): Promise<boolean> {
  if (isLoopback(host) || insecureRegistries.includes(host) || insecureRegistries.includes(hostName(host)))
    return true
  const networks = insecureRegistries.filter(each => each.includes('/'))
  if (networks.length === 0) return false
  const list = new BlockList()
  for (const network of networks) {
    const [address, bits] = network.split('/') as [string, string]
    list.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6')
  }
  const addresses = await lookup(hostName(host), { all: true }).catch(() => [])
  return addresses.some(({ address, family }) => list.check(address, family === 4 ? 'ipv4' : 'ipv6'))
}

/** The PEM certificates configured for `host[:port]`; none is the rule. Throws MinictrError for an unreadable file. */
export function certificatesFor(host: string, { certificatesDirectory }: Configuration): string[] {
  const directory = join(certificatesDirectory, host)
  let names: string[]
  try {
    names = readdirSync(directory).filter(name => name.endsWith('.crt'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new MinictrError(`Cannot read the certificates in ${directory}: ${(error as Error).message}`, {
      cause: error,
    })
  }
  return names.sort().map(name => readFileSync(join(directory, name), 'utf8'))
}

/** `host` of `host:port`, `[v6]` or `[v6]:port`, without brackets. */
export function hostName(host: string): string {
  const match = /^\[(.*)\](?::\d+)?$/.exec(host) ?? /^([^:]*)(?::\d+)?$/.exec(host)
  return (match?.[1] ?? host).toLowerCase()
}

function textList(file: string, key: string, value: unknown): string[] {
  if (value === undefined) return []
  if (Array.isArray(value) && value.every(item => typeof item === 'string')) return value
  throw new MinictrError(`${file}: ${key} is ${JSON.stringify(value)}, not a list of texts`)
}

function checkMirror(file: string, mirror: string): void {
  const refuse = (reason: string) => new MinictrError(`${file}: registry-mirrors: "${mirror}" ${reason}`)
  if (!URL.canParse(mirror)) throw refuse('is not a URL')
  const { protocol, username, pathname, search, hash } = new URL(mirror)
  if (protocol !== 'http:' && protocol !== 'https:') throw refuse('is neither http:// nor https://')
  if (username !== '') throw refuse('holds a user name; use `minictr login` for that')
  if (pathname !== '/' || search !== '' || hash !== '') throw refuse('has more than a host and a port')
}

function checkInsecure(file: string, registry: string): void {
  const [address, bits, more] = registry.split('/') as [string, string?, string?]
  const family = isIP(address)
  const isNetwork = family !== 0 && /^\d+$/.test(bits ?? '') && Number(bits) <= (family === 4 ? 32 : 128)
  const isHost = bits === undefined && /^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:\d+)?$/.test(registry)
  if ((isNetwork && more === undefined) || isHost) return
  throw new MinictrError(
    `${file}: insecure-registries: "${registry}" is neither HOST[:PORT] nor a network like 10.0.0.0/8`,
  )
}
