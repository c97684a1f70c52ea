// The command line of `network create`: flags before and behind the network's name.

import type { NewNetwork } from '../networks/new-network.ts'
import { combineSubnets, type SubnetFlags } from '../networks/subnets.ts'
import { MinictrError } from '../system/error.ts'
import { parseCsv } from './flags/csv.ts'
import { type Flag, type FlagGroup, readMixedFlags } from './flags/flag.ts'
import { checkLabel, splitVariable, toRecord } from './flags/variables.ts'
import { usageError } from './usage-error.ts'

/** Docker's status for a wrong flag; what cannot be is told with 1. */
const WRONG_FLAG = 125

type Draft = Omit<NewNetwork, 'name' | 'subnets' | 'labels'> & SubnetFlags & { labels: string[] }

type CreateFlag = Flag<Draft>

function toggle(name: string, about: string, turn: (draft: Draft, on: boolean) => void): CreateFlag {
  return { name, about, turn }
}

/** A flag that may be given several times, or once with commas. */
function list(name: string, about: string, key: 'subnets' | 'ipRanges' | 'gateways'): CreateFlag {
  return {
    name,
    takes: 'strings',
    about,
    set: (draft, text) => {
      draft[key].push(...(text === '' ? [] : parseCsv(text)))
    },
  }
}

/** All flags of `network create`, under the headings of its help. */
export const createFlags: FlagGroup<Draft>[] = [
  {
    title: 'Network',
    flags: [
      {
        name: 'driver',
        short: 'd',
        takes: 'string',
        about: 'Driver to manage the Network: bridge, macvlan or ipvlan (default bridge)',
        set: (draft, driver) => {
          draft.driver = driver
        },
      },
      {
        name: 'opt',
        short: 'o',
        takes: 'map',
        about: 'Set driver specific options',
        set: (draft, text) => {
          const [key, value] = splitVariable(text)
          draft.options[key] = value
        },
      },
      toggle('internal', 'Restrict external access to the network', (draft, on) => {
        draft.isInternal = on
      }),
      {
        name: 'label',
        takes: 'list',
        about: 'Set metadata on a network',
        set: (draft, text) => {
          draft.labels.push(checkLabel(text))
        },
      },
      toggle('attachable', 'Enable manual container attachment (always so here)', (draft, on) => {
        draft.isAttachable = on
      }),
      {
        name: 'scope',
        isHidden: true,
        takes: 'string',
        about: "Control the network's scope",
        set: checkScope,
      },
      { name: 'ingress', about: '', refuses: 'only a swarm has such a network' },
      {
        name: 'config-only',
        about: '',
        refuses: 'networks have no configurations apart from themselves here',
      },
      {
        name: 'config-from',
        takes: 'string',
        about: '',
        refuses: 'networks have no configurations apart from themselves here',
      },
    ],
  },
  {
    title: 'Addresses',
    flags: [
      list('subnet', 'Subnet in CIDR format that represents a network segment', 'subnets'),
      list('gateway', 'IPv4 or IPv6 Gateway for the master subnet', 'gateways'),
      list('ip-range', 'Allocate container ip from a sub-range', 'ipRanges'),
      {
        name: 'aux-address',
        takes: 'map',
        about:
          'Auxiliary IPv4 or IPv6 addresses used by Network driver (NAME=ADDRESS): no container gets them',
        set: (draft, text) => {
          const [name, address] = splitVariable(text)
          draft.auxiliaryAddresses[name] = address
        },
      },
      toggle('ipv4', 'Enable or disable IPv4 address assignment (default true)', (draft, on) => {
        draft.hasIpv4 = on
      }),
      toggle('ipv6', 'Enable or disable IPv6 address assignment', (draft, on) => {
        draft.hasIpv6 = on
      }),
      { name: 'ipam-driver', isHidden: true, takes: 'string', about: '', set: checkIpamDriver },
      { name: 'ipam-opt', takes: 'map', about: '', refuses: 'the IPAM driver has no options' },
    ],
  },
]

function checkScope(_: Draft, scope: string): void {
  if (scope !== '' && scope !== 'local')
    throw new MinictrError('networks are of one host here: the scope is local')
}

function checkIpamDriver(_: Draft, driver: string): void {
  if (driver !== 'default') throw new MinictrError(`plugin ${JSON.stringify(driver)} not found`)
}

/**
 * Parses what follows `minictr network create`. The result is `'help'` where `--help` was asked for. Throws MinictrError in
 * Docker's words.
 */
export function parseNetworkCreate(args: string[]): NewNetwork | 'help' {
  const program = 'minictr network create'
  const draft: Draft = {
    driver: 'bridge',
    options: {},
    isInternal: false,
    isAttachable: false,
    labels: [],
    subnets: [],
    ipRanges: [],
    gateways: [],
    auxiliaryAddresses: {},
    hasIpv4: true,
    hasIpv6: false,
  }
  const { asksForHelp, words } = readMixedFlags(createFlags, args, draft, program, WRONG_FLAG)
  if (asksForHelp) return 'help'
  if (words.length !== 1) throw usageError(`'${program}' requires 1 argument`, program)
  const { driver, options, isInternal, isAttachable, labels, hasIpv4, hasIpv6 } = draft
  return {
    ...{ name: words[0]!, driver, hasIpv4, hasIpv6, isInternal, isAttachable, options },
    subnets: combineSubnets(draft),
    labels: toRecord(labels),
  }
}
