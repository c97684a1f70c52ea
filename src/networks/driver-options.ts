// `-o KEY=VALUE` of `network create`: what a driver can be told, checked before anything is made.

import { MinictrError } from '../system/error.ts'
import { parseAddress } from './address.ts'

/** How a network's containers are joined: by a bridge of minictr's, or as further addresses of a link of this host. */
export type Driver = 'bridge' | 'macvlan' | 'ipvlan'

/** The options of all drivers, read. Absent is "not given". */
export type DriverSettings = {
  /** The most bytes of a packet. */
  mtu?: number
  /** What the bridge is called, in place of a name made of the network's id. */
  bridgeName?: string
  /** Whether packets that leave the host get its address; they do unless told otherwise. */
  isMasqueraded?: boolean
  /** The host's address at which ports are published that name none. */
  hostAddress?: string
  /** The link of this host that a macvlan or ipvlan network shares. */
  parentLink?: string
  /** Of macvlan or ipvlan. */
  mode?: string
}

type Read = (settings: DriverSettings, value: string, key: string) => void

/** The kernel's limit for names of links (IFNAMSIZ, less the zero behind it). */
const LONGEST_LINK_NAME = 15
/** IPv4 works from 68 on (RFC 791), 65535 is the largest packet. */
const LEAST_MTU = 68
const LARGEST_MTU = 65_535

const mtu: Read = (settings, value, key) => {
  if (!/^[+-]?\d+$/.test(value))
    throw unreadable(key, value, `strconv.Atoi: parsing "${value}": invalid syntax`)
  const bytes = Number(value)
  if (bytes < LEAST_MTU || bytes > LARGEST_MTU) {
    throw new MinictrError(`invalid ${key} ${value}: it is between ${LEAST_MTU} and ${LARGEST_MTU}`)
  }
  settings.mtu = bytes
}

const parentLink: Read = (settings, value) => {
  settings.parentLink = value
}

function mode(driver: Driver, known: string[]): Read {
  return (settings, value) => {
    if (value !== '' && !known.includes(value)) {
      throw new MinictrError(
        `requested ${driver} mode '${value}' is not valid, '${known[0]}' mode is the ${driver} driver default`,
        { remedy: `There are: ${known.join(', ')}.` },
      )
    }
    settings.mode = value || known[0]!
  }
}

/** Docker's names of the options. Source: moby, libnetwork/drivers/bridge/labels.go, netlabel/labels.go. */
const known: Record<Driver, Record<string, Read>> = {
  bridge: {
    'com.docker.network.driver.mtu': mtu,
    'com.docker.network.bridge.name': (settings, value, key) => {
      if (!/^minictr[a-zA-Z0-9_.-]*$/.test(value) || value.length > LONGEST_LINK_NAME) {
        throw new MinictrError(`invalid ${key} ${JSON.stringify(value)}`, {
          remedy: `Links of minictr's can be told from others by their names: begin it with minictr, in at most ${LONGEST_LINK_NAME} characters.`,
        })
      }
      settings.bridgeName = value
    },
    'com.docker.network.bridge.enable_ip_masquerade': (settings, value, key) => {
      settings.isMasqueraded = parseBool(key, value)
    },
    'com.docker.network.bridge.enable_icc': (_, value, key) => {
      if (parseBool(key, value)) return
      throw new MinictrError(`${key}=${value}: minictr does not keep containers of one network apart yet`, {
        remedy: 'Give each its own network: networks are kept apart.',
      })
    },
    'com.docker.network.bridge.host_binding_ipv4': (settings, value, key) => {
      if (parseAddress(value)?.family !== 4) throw unreadable(key, value, 'nil ip')
      settings.hostAddress = value
    },
  },
  macvlan: {
    'com.docker.network.driver.mtu': mtu,
    parent: parentLink,
    macvlan_mode: mode('macvlan', ['bridge', 'private', 'vepa', 'passthru']),
  },
  ipvlan: {
    'com.docker.network.driver.mtu': mtu,
    parent: parentLink,
    ipvlan_mode: mode('ipvlan', ['l2', 'l3', 'l3s']),
  },
}

/**
 * Reads the options of a driver. Throws MinictrError, mostly in Docker's words, for values that make no sense and for
 * options that minictr has not: none is kept and then ignored.
 */
export function readDriverOptions(driver: Driver, options: Record<string, string>): DriverSettings {
  const settings: DriverSettings = {}
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(known[driver], key)) {
      throw new MinictrError(`minictr's ${driver} driver has no option ${key}`, {
        remedy: `There are: ${Object.keys(known[driver]).join(', ')}.`,
      })
    }
    known[driver][key]!(settings, value, key)
  }
  return settings
}

/** The words Go's strconv.ParseBool takes. */
function parseBool(key: string, value: string): boolean {
  if (/^(?:1|t|T|true|True|TRUE)$/.test(value)) return true
  if (/^(?:0|f|F|false|False|FALSE)$/.test(value)) return false
  throw unreadable(key, value, `strconv.ParseBool: parsing "${value}": invalid syntax`)
}

function unreadable(key: string, value: string, reason: string): MinictrError {
  return new MinictrError(`failed to parse ${key} value: ${value} (${reason})`)
}
