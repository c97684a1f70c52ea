// The networks of this host: a bridge is a switch, and the packet filter says what passes. Made for the first container that
// needs them; they stay for the next ones.

import type { Op, Slot } from '../op.ts'
import type { PlannedBridge, PlannedNameServer, PlannedNetworks } from '../planned-networks.ts'
import type { Step } from '../step.ts'
import { hostStep } from './container-step.ts'
import { numbered } from './numbered.ts'
import { makeParent } from './parent.ts'

/** Steps that make what of the container's networks is not there yet; usually none. */
export function networkSteps(networks: PlannedNetworks | undefined): Step[] {
  if (!networks) return []
  return [
    ...forwardingStep(networks),
    ...filterStep(networks),
    ...numbered(networks.bridges.map(bridgeStep)),
    ...numbered(networks.nameServers.map(nameServerStep)),
  ]
}

/** Writes down the network of containers that name none, where no container has come before. */
export function recordNetworkStep(networks: PlannedNetworks | undefined): Step[] {
  if (!networks?.newRecord) return []
  const { path, aside, text, lockFile } = networks.newRecord
  return [
    shared(
      'record-network',
      'The network of containers that name none is made when the first one comes. Which addresses it has is written down, so that it has the same ones tomorrow. Under the lock of whoever makes or removes networks: it may just be being removed.',
      [
        makeParent(path, 0o700),
        { op: 'lock', path: lockFile, waitMs: LOCK_WAIT_MS, as: lock },
        { op: 'write_file', path: aside, content: text, how: 'create', mode: 0o600 },
        { op: 'rename', path: aside, to: path },
        { op: 'close', slot: lock },
      ],
    ),
  ]
}

function forwardingStep({ hostSettings }: PlannedNetworks): Step[] {
  if (hostSettings.length === 0) return []
  return [
    shared(
      'enable-forwarding',
      'A host drops what is for somebody else unless it is told to be a router. It stays one afterwards: others may rely on it by then.',
      hostSettings.map(
        ({ path, value }): Op => ({ op: 'write_file', path, content: value, how: 'existing' }),
      ),
    ),
  ]
}

function filterStep({ rules }: PlannedNetworks): Step[] {
  if (rules === undefined) return []
  return [
    shared(
      'load-packet-filter',
      'A bridge alone would connect everybody with everybody. The rules give packets that leave the host its address, keep networks apart, and let in only what was published. They never change: a network is an element of their sets. Before the bridge, so that there is no moment without them.',
      [{ op: 'nft', commands: rules }],
    ),
  ]
}

function bridgeStep({ name, macAddress, mtu, alias, addresses, settings, readyFile }: PlannedBridge): Step {
  return shared(
    'create-bridge',
    `${name} is a switch in the kernel: what comes in at one port goes out at that of the machine it is for. The host has an address there as well, and is the way out for all others. With a hardware address of its own; it would have that of a port else, and change with it.`,
    [
      {
        op: 'create_bridge',
        name,
        mac: macAddress,
        ...(mtu !== undefined && { mtu }),
        alias,
        tolerate: ['EEXIST'],
      },
      ...settings.map(({ path, value }): Op => ({ op: 'write_file', path, content: value, how: 'existing' })),
      ...addresses.map((address): Op => {
        const nodad = address.includes(':') ? { nodad: true } : {}
        return { op: 'add_address', link: name, address, ...nodad, tolerate: ['EEXIST'] }
      }),
      { op: 'set_link', name, up: true },
      makeParent(readyFile),
      { op: 'write_file', path: readyFile, content: name, how: 'create', mode: 0o600 },
    ],
  )
}

const lock: Slot = 'networks-lock'

/** To remove a network takes some tenths of a second, to start a server as many. */
const LOCK_WAIT_MS = 10_000

function nameServerStep(server: PlannedNameServer): Step {
  const { directories, lockFile, pidFile, candidates, argv } = server
  return shared(
    'start-name-server',
    'Containers of a network find each other by name: a DNS server at the gateway’s address reads a directory with a file for each of them, and asks the host’s resolvers for all other names. It goes to the background when it is ready. Where another command has started it meanwhile, the address is taken, and the file with its PID is there.',
    [
      ...directories.map((path): Op => ({ op: 'mkdir', path, mode: 0o755, parents: true })),
      { op: 'lock', path: lockFile, waitMs: LOCK_WAIT_MS, as: lock },
      { op: 'run_program', candidates, argv, tolerate: ['EADDRINUSE'] },
      { op: 'access', paths: [pidFile] },
      { op: 'close', slot: lock },
    ],
  )
}

/** It is not the container's alone, and stays: removing the network undoes it. */
function shared(id: string, why: string, ops: Op[]): Step {
  return hostStep(id, why, ops, 'run', [])
}
