// Published ports: a port of the host leads to one of the container.

import type { PlannedNetworks } from '../planned-networks.ts'
import type { Step } from '../step.ts'
import { hostStep } from './container-step.ts'

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
export function forwardPortsStep(networks: PlannedNetworks | undefined): Step[] {
  if (!networks?.ports || networks.ports.addRules === '') return []
  const { addRules, removeRules } = networks.ports
  return [
    hostStep(
      'forward-ports',
      'The kernel changes the destination of packets for these ports to the container’s address, and that of the answers back: the container sees who asks. A port is an element of a map that the rules look into, so adding one is one transaction, and finding it takes as long among thousands as alone.',
      [{ op: 'nft', commands: addRules }],
      'run',
      [{ op: 'nft', commands: removeRules }],
    ),
  ]
}
