// `--link`: who is told of a container follows it when it starts again with another address.

import type { Op } from '../op.ts'
import type { PlannedNetworks } from '../planned-networks.ts'
import type { Step } from '../step.ts'
import { hostStep } from './container-step.ts'
import { makeParent } from './parent.ts'

/** The steps for a container that has links to others, and for one that others have links to; usually none. */
export function linkedSteps(networks: Pick<PlannedNetworks, 'links' | 'linkedHosts'> | undefined): Step[] {
  const { links = [], linkedHosts = [] } = networks ?? {}
  return [...recordStep(links), ...updateStep(linkedHosts)]
}

function recordStep(links: string[]): Step[] {
  if (links.length === 0) return []
  return [
    hostStep(
      'record-links',
      'The hosts file of this container names others by their addresses of today. A file for each of these links: one that starts again with another address looks here whom it has to tell.',
      [
        makeParent(links[0]!),
        ...links.map((path): Op => ({ op: 'write_file', path, content: '', how: 'create', mode: 0o600 })),
      ],
      'run',
      links.map(path => ({ op: 'unlink', path, tolerate: ['ENOENT'] })),
    ),
  ]
}

function updateStep(linkedHosts: { path: string; content: string }[]): Step[] {
  if (linkedHosts.length === 0) return []
  return [
    hostStep(
      'update-linked-hosts',
      'Containers that have a link to this one find it by their hosts files, which have the address of its last start. They run: the files are written in place, since what is mounted there is these very files.',
      linkedHosts.map(({ path, content }): Op => {
        return { op: 'write_file', path, content, how: 'existing', tolerate: ['ENOENT'] }
      }),
      'run',
      [],
    ),
  ]
}
