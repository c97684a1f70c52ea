// Published ports: a port of the host leads to one of the container.

import type { Op } from '../op.ts'
import { endServer } from '../ops/ports.ts'
import type { PlannedNetworks, PlannedPorts } from '../planned-networks.ts'
import type { Step } from '../step.ts'
import { hostStep } from './container-step.ts'
import type { ContainerProcess } from './join-container.ts'
import { makeParent } from './parent.ts'

/** Takes the ports before anything else is made. */
export function holdPortsStep(networks: PlannedNetworks | undefined): Step[] {
  if (!networks?.ports) return []
  return [
    hostStep(
      'hold-ports',
      'A port belongs to whoever binds it first. A small process beside the monitor binds all that are published, so that one in use is an error now, before anything is made, and nobody takes one later. It also relays what the kernel does not bring to a container by itself: what comes by 127.0.0.1 or ::1.',
      [{ op: 'publish', ports: networks.ports.held }],
      'run',
    ),
  ]
}

/** Leads them to the container, once it has a link. */
export function forwardPortsStep(networks: Pick<PlannedNetworks, 'ports'> | undefined): Step[] {
  if (!networks?.ports || networks.ports.addRules === '') return []
  const { addRules, removeRules } = networks.ports
  return [
    hostStep(
      'forward-ports',
      'The kernel changes the destination of packets for these ports to the container’s address, and that of the answers back: the container sees who asks. A port is an element of a map that the rules look into, so adding one is one transaction, and finding it takes as long among thousands as alone.',
      [{ op: 'nft', commands: addRules }],
      'run',
      // Where a join that moved the port was taken back, it leads to the container by the network before.
      [{ op: 'nft', commands: removeRules, tolerate: ['EEXIST'] }],
    ),
  ]
}

/** How ports lead to a container that runs. */
export type PortsWay = {
  ports: PlannedPorts
  /** The container's place in the network by which they lead to it: the file, and its text with these ports in it. */
  endpoint: { path: string; content: string }
}

/** Ports of a container that runs which are to lead to it by another network. */
export type PortsChange = {
  /**
   * Missing where nobody has published them yet. `without` is the text of the place without ports, where that stays.
   */
  before?: PortsWay & { without?: string; holder?: ContainerProcess }
  after?: PortsWay & { hairpinLink?: string }
  pidFile: string
}

/** The ports are free, and nothing leads to the container by the network any more. Gone on with where it is cut short. */
export function withdrawPortsStep({ before, pidFile }: PortsChange): Step[] {
  if (!before) return []
  const { ports, holder, endpoint, without } = before
  const gone = ['ESRCH', 'EBADF']
  const slot = 'port-holder'
  const end: Op[] = holder
    ? [
        { op: 'open_process', ...holder, as: slot, tolerate: gone },
        { op: 'signal_process', slot, pid: holder.pid, signal: 'SIGKILL', tolerate: gone },
        { op: 'await_exit', slot, pid: holder.pid, timeoutMs: HOLDER_END_MS, tolerate: gone },
        { op: 'close', slot, tolerate: gone },
      ]
    : []
  return [
    hostStep(
      'withdraw-ports',
      'The ports of the host lead to the container by this network: they are taken back, and so is the process that holds them, since it relays to the address the container has there.',
      [
        // Who was killed behind this may have led them elsewhere already.
        ...rules(ports.removeRules).map(op => ({ ...op, tolerate: ['EEXIST'] })),
        ...end,
        endServer(pidFile),
        ...(without === undefined ? [] : [write(endpoint.path, without)]),
      ],
      'container',
      [],
    ),
  ]
}

/** The same for a join: where that is taken back, they lead to the container as before. */
export function movePortsStep(change: PortsChange, pid: number): Step[] {
  const { before, pidFile } = change
  return withdrawPortsStep(change).map(step => ({
    ...step,
    undo: [
      makeParent(pidFile),
      { op: 'hold_ports', ports: before!.ports.held, pidFile, pid, tolerate: ['EADDRINUSE'] },
      ...rules(before!.ports.addRules),
      write(before!.endpoint.path, before!.endpoint.content),
    ],
  }))
}

/** They lead to the container by another network from now on, until it ends. */
export function leadPortsSteps({ after, pidFile }: PortsChange, pid: number): Step[] {
  if (!after) return []
  const { ports, endpoint, hairpinLink } = after
  return [
    hostStep(
      'hold-ports',
      'The ports lead to the container by this network from now on. The process beside the monitor is as old as the container, so another one holds them: it ends with the container.',
      [
        makeParent(pidFile),
        endServer(pidFile),
        { op: 'hold_ports', ports: ports.held, pidFile, pid },
        write(endpoint.path, endpoint.content),
      ],
      'run',
      [endServer(pidFile)],
    ),
    ...forwardPortsStep({ ports }).map(step => ({
      ...step,
      ops: [
        ...(hairpinLink === undefined
          ? []
          : [{ op: 'set_link', name: hairpinLink, hairpin: true } satisfies Op]),
        ...step.ops,
      ],
    })),
  ]
}

const HOLDER_END_MS = 5_000

function rules(commands: string): Op[] {
  return commands === '' ? [] : [{ op: 'nft', commands }]
}

function write(path: string, content: string): Op {
  return { op: 'write_file', path, content, how: 'create', mode: 0o600 }
}
