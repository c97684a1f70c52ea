// What is asked of this host while the networks of a container are decided, as one thing, so that a test can have a host of its
// own; nothing is changed.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Subnet } from '../networks/address.ts'
import { ephemeralPorts, hasIpv6, hasLink, hostPorts, hostRoutes } from '../networks/host-network.ts'
import type { TakenPort } from '../networks/port-bindings.ts'
import type { PortRange } from '../networks/ports.ts'
import { errnoOf } from '../system/errno.ts'
import { randomBytes } from '../system/random.ts'

export type NetworkHost = {
  hasIpv6(): boolean
  /** Whether there is a link of this name. */
  hasLink(name: string): boolean
  exists(path: string): boolean
  /** The text of a file; empty where there is none. */
  readText(path: string): string
  namesIn(directory: string): string[]
  /** Where its routes lead, default routes aside. */
  routes(): Subnet[]
  /** The ports that programs of this host wait at. */
  ports(): TakenPort[]
  /** From which a port comes that nobody names. */
  ephemeral(): PortRange
  /** 64 hexadecimal digits. */
  newId(): string
  /** ISO 8601. */
  now(): string
}

/** This host. */
export const thisNetworkHost: NetworkHost = {
  hasIpv6,
  hasLink,
  exists: existsSync,
  readText: path => {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return ''
      throw error
    }
  },
  namesIn: directory => readdirSync(directory),
  routes: hostRoutes,
  ports: hostPorts,
  ephemeral: ephemeralPorts,
  newId: () => randomBytes(32).toString('hex'),
  now: () => new Date().toISOString(),
}
