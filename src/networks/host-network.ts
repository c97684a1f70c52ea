// What of this host's own network has to be known while a container's is decided; nothing is changed.

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { errnoOf } from '../system/errno.ts'
import { randomBytes } from '../system/random.ts'
import type { Subnet } from './address.ts'
import { type Pool, uniqueLocalPool } from './pool.ts'
import type { TakenPort } from './port-bindings.ts'
import type { PortRange } from './ports.ts'
import { parseIpv4Routes, parseIpv6Routes } from './routes.ts'
import { parseSockets } from './sockets.ts'

/** Whether this host speaks IPv6 at all. */
export function hasIpv6(): boolean {
  return existsSync('/proc/net/if_inet6')
}

/** Whether it has a link of this name. */
export function hasLink(name: string): boolean {
  // Unlike /sys/class/net this is of the network namespace of whoever looks.
  return !name.includes('/') && existsSync(`/proc/sys/net/ipv4/conf/${name}`)
}

/** Where its routes lead, default routes aside. */
export function hostRoutes(): Subnet[] {
  return [
    ...parseIpv4Routes(readText('/proc/net/fib_trie')),
    ...parseIpv6Routes(readText('/proc/net/ipv6_route')),
  ]
}

/** The IPv6 subnets of this host's networks: the same at each call, and others on other hosts. */
export function hostUniqueLocalPool(): Pool {
  const machineId = readText('/etc/machine-id').trim()
  if (machineId === '') return uniqueLocalPool(randomBytes(5))
  // The id itself is not to be told to others (machine-id(5)).
  const { createHash } = process.getBuiltinModule('node:crypto')
  return uniqueLocalPool(createHash('sha256').update(`minictr networks ${machineId}`).digest())
}

/** The ports from which one is chosen where nobody names one (ip(7), ip_local_port_range). */
export function ephemeralPorts(): PortRange {
  const [first = 32_768, last = 60_999] = readText('/proc/sys/net/ipv4/ip_local_port_range')
    .trim()
    .split(/\s+/)
    .filter(part => part !== '')
    .map(Number)
  return { first, last }
}

/** The ports that programs of this host wait at. Which program it is takes a search of all processes, when it is asked. */
export function hostPorts(): TakenPort[] {
  const sockets = (['tcp', 'udp'] as const).flatMap(protocol =>
    ['', '6'].flatMap(family => parseSockets(readText(`/proc/net/${protocol}${family}`), protocol)),
  )
  return sockets.map(({ protocol, address, port, inode }) => ({
    protocol,
    address,
    port,
    program: () => programOf(inode) ?? 'a program of this host',
  }))
}

function programOf(inode: number): string | undefined {
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    if (!hasSocket(pid, inode)) continue
    const name = readText(`/proc/${pid}/comm`).trim()
    if (name !== '') return `${name} (PID ${pid})`
  }
  return undefined
}

function hasSocket(pid: string, inode: number): boolean {
  try {
    const directory = `/proc/${pid}/fd`
    return readdirSync(directory).some(fd => readlinkSync(`${directory}/${fd}`) === `socket:[${inode}]`)
  } catch {
    return false // it ended meanwhile, or is another user's
  }
}

/** Empty where there is no such file: a kernel without IPv6 has none of its tables. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ESRCH') return ''
    throw error
  }
}
