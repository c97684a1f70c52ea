// A container's own DNS server: a process of the host in the container's network namespace.

import type { Late, Op, Slot } from '../op.ts'
import { endServer } from '../ops/ports.ts'
import type { PlannedNetworks, PlannedResolver } from '../planned-networks.ts'
import type { Step } from '../step.ts'
import { containerStep, endsWith, hostStep } from './container-step.ts'
import { makeParent } from './parent.ts'

const netns: Slot = 'network-namespace'

/** The steps of a start; usually none. */
export function resolverSteps(networks: PlannedNetworks | undefined): Step[] {
  const { resolver } = networks ?? {}
  if (!resolver) return []
  const pid: Late = { late: 'pid' }
  return [
    startResolverStep(resolver, pid),
    {
      ...hostStep(
        'redirect-names',
        `${redirecting} Before anything of the container runs, which could take the port.`,
        inNetwork(pid, { op: 'nft', commands: resolver.addRules, netns: { slot: netns, pid } }),
        'run',
      ),
      undo: { kernel: endsWith.namespace },
    },
  ]
}

/** What a container that runs has of it, before a change of its networks and after it. */
export type ResolverChange = { before?: PlannedResolver; after?: PlannedResolver }

/** The steps by which it comes, or knows other networks from then on. Taken back by the server that was there before. */
export function joinResolverSteps({ before, after }: ResolverChange, pid: number): Step[] {
  if (!after || isSame(before, after)) return []
  if (before) return [restartStep(before, after, pid)]
  return [
    startResolverStep(after, pid),
    {
      ...containerStep('redirect-names', redirecting, [{ op: 'nft', commands: after.addRules }]),
      undo: [{ op: 'nft', commands: after.removeRules }],
    },
  ]
}

/** The steps by which it goes, or forgets a network. Each of them may be done twice. */
export function leaveResolverSteps({ before, after }: ResolverChange, pid: number): Step[] {
  if (!before || isSame(before, after)) return []
  if (after) return [restartStep(before, after, pid)]
  return [
    hostStep(
      'end-resolver',
      'The DNS server of the network that is left, or this host’s, is enough from now on: the container’s own one ends.',
      [endServer(before.pidFile)],
      'run',
      [],
    ),
    containerStep('stop-redirecting-names', 'Nobody is there any more to whom questions could be led.', [
      { op: 'nft', commands: before.removeRules },
    ]),
  ]
}

const redirecting =
  'Who asks port 53 of 127.0.0.11 is led to the server, which listens at another port: that one is left to a DNS server that may be the container’s own program.'

function startResolverStep(resolver: PlannedResolver, pid: Late | number): Step {
  return hostStep(
    'start-resolver',
    'The server at a network’s gateway would not do: this host has no address there, or the container is in several networks, or asks DNS servers of its own. So the container has one itself, which reads the same files and asks others by the container’s way out. It is a process of the host, in nothing of the container’s but its network namespace: nobody in there can end it. It goes with the container, since it would keep the namespace.',
    [makeParent(resolver.pidFile), ...startOps(resolver, pid)],
    'run',
    [endServer(resolver.pidFile)],
  )
}

function restartStep(before: PlannedResolver, after: PlannedResolver, pid: number): Step {
  return hostStep(
    'restart-resolver',
    'The container’s own DNS server reads the directories it was started with: with other networks it is another one.',
    [endServer(before.pidFile), ...startOps(after, pid)],
    'container',
    [endServer(after.pidFile), ...startOps(before, pid)],
  )
}

function startOps({ directories, candidates, argv }: PlannedResolver, pid: Late | number): Op[] {
  return [
    ...directories.map((path): Op => ({ op: 'mkdir', path, mode: 0o755, parents: true })),
    ...inNetwork(pid, { op: 'run_program', candidates, argv, netns: { slot: netns, pid } }),
  ]
}

function inNetwork(pid: Late | number, op: Op): Op[] {
  const path = typeof pid === 'number' ? `/proc/${pid}/ns/net` : ['/proc/', pid, '/ns/net']
  return [{ op: 'open', path, how: 'read', as: netns }, op, { op: 'close', slot: netns }]
}

function isSame(before: PlannedResolver | undefined, after: PlannedResolver | undefined): boolean {
  return JSON.stringify(before?.argv) === JSON.stringify(after?.argv)
}
