// How a container that runs joins one more network, and leaves one. The links are made from the host as at its start; a second
// process goes into the container's network namespace and does there what init has done at the start.

import type { Op, Slot } from './op.ts'
import { inverses } from './ops.ts'
import type { DefaultRoute, PlannedNetworks } from './planned-networks.ts'
import type { Plan, Step } from './step.ts'
import { lockContainerStep, type Replacement } from './steps/container-files.ts'
import { containerStep, endsWith, hostStep } from './steps/container-step.ts'
import {
  announceNameStep,
  claimAddressesStep,
  configureLinksStep,
  deleteLink,
  linkSteps,
  releasePlace,
  withdrawNames,
} from './steps/endpoints.ts'
import { type ContainerProcess, findContainerStep } from './steps/join-container.ts'
import { linkedSteps } from './steps/links.ts'
import { networkSteps, recordNetworkStep } from './steps/networks.ts'
import { leadPortsSteps, movePortsStep, type PortsChange, withdrawPortsStep } from './steps/ports.ts'
import { joinResolverSteps, leaveResolverSteps, type ResolverChange } from './steps/resolver.ts'

/** All of it is decided before the plan is made. */
type ChangeContext = {
  containerId: string
  lockFile: string
  /** Of a container that runs. */
  process?: ContainerProcess
  /** The new text of container.json; written aside first. */
  record: { path: string; aside: string; text: string }
  /** hosts and resolv.conf, those of them that change. */
  files: Pick<Replacement, 'path' | 'before' | 'after'>[]
  /** Of a container that runs. */
  resolver?: ResolverChange
  /** Where ports of the host are to lead to it by another network. */
  ports?: PortsChange
}

export type ConnectContext = ChangeContext & {
  networks?: PlannedNetworks
  /** Ways out in place of which there will be others. */
  formerRoutes: (DefaultRoute & { link: string })[]
}

export type DisconnectContext = ChangeContext & {
  /** What the container has in the network while it runs. */
  place?: { link: string; claims: string[]; endpointFile: string; nameFiles: string[] }
  /** The ways out by other networks, where it has gone out by this one. */
  routes: (DefaultRoute & { link: string })[]
}

/** The ordered steps by which a container joins one more network. A pure function. */
export function connectPlan(context: ConnectContext): Plan {
  const { containerId, process, networks, formerRoutes, resolver = {}, ports } = context
  const steps = [
    lockContainerStep(context),
    ...(process && networks
      ? [
          ...enterSteps(process),
          ...recordNetworkStep(networks),
          ...claimAddressesStep(networks, containerId),
          ...networkSteps(networks),
          ...linkSteps(networks, process.pid),
          ...leaveWaysStep(formerRoutes),
          ...configureLinksStep(networks).map(configureFurther),
          ...announceNameStep(networks),
          ...joinResolverSteps(resolver, process.pid),
          ...linkedSteps(networks),
          ...(ports ? [...movePortsStep(ports, process.pid), ...leadPortsSteps(ports, process.pid)] : []),
          ...rewriteFilesStep(context),
        ]
      : []),
    recordStep(context),
  ]
  return { containerId, command: 'network connect', steps }
}

/** The ordered steps by which a container leaves a network. A pure function. */
export function disconnectPlan(context: DisconnectContext): Plan {
  const { containerId, process, place, ports, resolver = {}, routes } = context
  const before = [lockContainerStep(context), ...(process && place ? enterSteps(process) : [])]
  return {
    containerId,
    command: 'network disconnect',
    ...(process && { onwardFrom: before.length }),
    steps: [
      ...before,
      ...(process && place
        ? [
            ...withdrawNamesStep(place.nameFiles),
            ...(ports ? withdrawPortsStep(ports).map(step => ({ ...step, undo: left })) : []),
            deleteLinkStep(place.link, routes),
            ...leaveResolverSteps(resolver, process.pid).map(step => ({ ...step, undo: left })),
            ...(ports ? leadPortsSteps(ports, process.pid) : []),
            releaseAddressesStep(place.claims, place.endpointFile, containerId),
          ]
        : []),
      ...rewriteFilesStep(context).map(step => ({ ...step, undo: left })),
      recordStep(context),
    ],
  }
}

const container: Slot = 'container'

/** Nothing takes it back but the opposite command. */
const left = { kernel: 'What was left stays so; minictr network connect joins it anew.' }

/** Into the network namespace of the process. */
export function enterNetwork({ pid, startTimeTicks }: ContainerProcess): Op[] {
  return [
    { op: 'open_process', pid, startTimeTicks, as: container },
    { op: 'setns', slot: container, namespaces: ['net'], pid },
    { op: 'close', slot: container },
  ]
}

function enterSteps(process: ContainerProcess): Step[] {
  return [
    findContainerStep(process),
    containerStep(
      'enter-network-namespace',
      'Addresses and routes of a network namespace are changed by a process in it. This one joins it, and nothing else of the container: no program of the container’s is needed, and none sees it.',
      enterNetwork(process).slice(1),
      endsWith.process,
    ),
  ]
}

function leaveWaysStep(routes: ConnectContext['formerRoutes']): Step[] {
  if (routes.length === 0) return []
  const ops = routes.map((route): Op => ({ op: 'delete_route', ...route, tolerate: ['ESRCH'] }))
  const why =
    'A container has one way out. The new network’s comes before those it has. Only now that the new link is there: meanwhile nothing gets out.'
  return [{ ...containerStep('leave-way-out', why, ops), undo: inverses(ops) }]
}

/** The step of a start, told for a container that runs: its namespace stays when it is taken back. */
function configureFurther(step: Step): Step {
  return {
    ...step,
    why: 'The new link gets its addresses and is switched on; what is for none of its neighbours goes to the gateway, if this is the way out now. By the process that has joined the namespace, since only there the link can be seen.',
    undo: inverses(step.ops),
  }
}

function deleteLinkStep(link: string, routes: DisconnectContext['routes']): Step {
  return {
    ...containerStep(
      'delete-link',
      'The link goes with its addresses and routes; of a veth pair the host’s end goes as well. Where it was the way out, another network is that now.',
      [deleteLink(link), ...routes.map((route): Op => ({ op: 'add_route', ...route, tolerate: ['EEXIST'] }))],
    ),
    undo: left,
  }
}

function withdrawNamesStep(nameFiles: string[]): Step[] {
  if (nameFiles.length === 0) return []
  const why =
    'First of all nobody is to find the container in the network any more: its DNS server forgets it with its file. From here on nothing is taken back: what is left half-way is done by the next command.'
  return [leaving('withdraw-name', why, withdrawNames(nameFiles))]
}

function releaseAddressesStep(claims: string[], endpointFile: string, containerId: string): Step {
  const why = 'The addresses are free for others: only now, when no link has them.'
  return leaving('release-addresses', why, releasePlace(claims, endpointFile, containerId))
}

function rewriteFilesStep({ files }: ChangeContext): Step[] {
  if (files.length === 0) return []
  const why =
    'hosts and resolv.conf name the networks the container is in now. They are written in place: what is mounted in the container is these very files.'
  const write = (path: string, content: string): Op => {
    return { op: 'write_file', path, content, how: 'existing', tolerate: ['ENOENT'] }
  }
  return [
    hostStep(
      'rewrite-network-files',
      why,
      files.map(({ path, after }) => write(path, after)),
      'container',
      files.map(({ path, before }) => write(path, before)),
    ),
  ]
}

function recordStep({ record: { path, aside, text } }: ChangeContext): Step {
  return hostStep(
    'record-networks',
    'container.json says which networks the container is in whenever it starts. Written aside and renamed: a reader sees the old one or the new one. Last of all: with it, all is done.',
    [
      { op: 'write_file', path: aside, content: text, how: 'create', mode: 0o600 },
      { op: 'rename', path: aside, to: path },
    ],
    'container',
    [{ op: 'unlink', path: aside, tolerate: ['ENOENT'] }],
  )
}

function leaving(id: string, why: string, ops: Op[]): Step {
  return { ...hostStep(id, why, ops, 'run', []), undo: left }
}
