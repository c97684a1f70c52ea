// What a container will be, in a few lines: the choices that flags, image and defaults came to.

import type { ContainerRecord } from '../containers/record.ts'
import { bracketed } from '../networks/port-bindings.ts'
import type { PortWish } from '../networks/ports.ts'
import { capabilityNames } from '../runtime/capabilities.ts'
import { overlayOf, type Resources, type Spec } from '../runtime/spec.ts'

export type Summary = {
  /** What is made or done by it, as a heading: `A container`. */
  title: string
  /** What the process of the container's side turns into, where there is one. */
  becomes?: string
  image?: { name?: string; digest?: string; id?: string }
  /** The container's. */
  name?: string
  /** A short text for each thing that was decided, by its name, in reading order. */
  facts: Record<string, string>
}

/** What the OCI configuration does not know. */
export type ContainerIdentity = Pick<Summary, 'name' | 'image'> &
  Partial<Pick<ContainerRecord, 'networkMode' | 'networks' | 'ports'>>

/** The choices of a container's configuration, each as a line of text. */
export function summaryOf(spec: Spec, identity: ContainerIdentity): Summary {
  const { name, image } = identity
  const network = networkOf(identity)
  return {
    title: 'A container',
    becomes: 'the container',
    image,
    name,
    facts: {
      program: `${spec.process.args.join(' ')} in ${spec.process.cwd}`,
      user: userOf(spec),
      root: rootOf(spec),
      namespaces: namespacesOf(spec),
      ...(network !== undefined && { network }),
      mounts: spec.mounts.map(mount => mount.destination).join(' '),
      limits: limitsOf(spec.linux.resources ?? {}),
      power: powerOf(spec),
    },
  }
}

/** The choices of one more program in the container of that name; `spec` is as `sessionSpec` makes it. */
export function execSummary(name: string, spec: Spec): Summary {
  return {
    title: 'A program in a running container',
    becomes: 'the program',
    name,
    facts: {
      program: `${spec.process.args.join(' ')} in ${spec.process.cwd}`,
      user: userOf(spec),
      namespaces: `the container’s ${spec.linux.namespaces.map(({ type }) => type).join(', ')}`,
      power: powerOf(spec),
    },
  }
}

function userOf({ process: { user } }: Spec): string {
  const groups = user.additionalGids?.length ? `, groups ${user.additionalGids.join(' ')}` : ''
  return `${user.uid}:${user.gid}${groups}`
}

function rootOf(spec: Spec): string {
  const layers = overlayOf(spec)?.lower.length ?? 0
  const tree = layers
    ? `an overlay of ${layers} ${layers === 1 ? 'layer' : 'layers'} and a writable directory`
    : 'a directory'
  return spec.root.readonly ? `${tree}, read-only` : tree
}

function namespacesOf({ linux }: Spec): string {
  const made = linux.namespaces.filter(({ path }) => path === undefined).map(({ type }) => type)
  const joined = linux.namespaces.filter(({ path }) => path !== undefined).map(({ type }) => type)
  return [
    ...(made.length ? [`its own ${made.join(', ')}`] : []),
    ...(joined.length ? [`joined ${joined.join(', ')}`] : []),
  ].join('; ')
}

function networkOf({ networkMode, networks = [], ports }: ContainerIdentity): string | undefined {
  if (networkMode === undefined || networks.length === 0) return undefined
  const names = networks.map(({ name }) => name).join(' and ')
  const published = ports?.published.map(portOf) ?? []
  const all = ports?.publishesAll ? ['all that it exposes'] : []
  const shown = [...published, ...all].join(' ')
  return shown === '' ? `in ${names}` : `in ${names}, published ${shown}`
}

function portOf({ hostAddress, hostPorts, port, protocol }: PortWish): string {
  const { first, last } = hostPorts ?? {}
  const range = first === undefined ? 'any' : first === last ? String(first) : `${first}-${last}`
  return `${hostAddress === undefined ? '' : `${bracketed(hostAddress)}:`}${range}->${port}/${protocol}`
}

/** Limits as a line of text. */
export function limitsOf({ memory, cpu, pids, blockIO }: Resources): string {
  const limits = [
    memory?.limit !== undefined && `memory ${sizeText(memory.limit)}`,
    memory?.swap !== undefined && `memory and swap ${sizeText(memory.swap)}`,
    cpu?.quota !== undefined && cpu.period !== undefined && `${cpu.quota / cpu.period} CPUs`,
    cpu?.shares !== undefined && `CPU shares ${cpu.shares}`,
    cpu?.cpus !== undefined && `CPUs ${cpu.cpus}`,
    pids !== undefined && pids.limit > 0 && `${pids.limit} processes`,
    blockIO?.weight !== undefined && `block I/O weight ${blockIO.weight}`,
  ].filter(Boolean)
  return limits.length ? limits.join(', ') : 'none'
}

/** Whole units, so that nothing is rounded away; -1 is how the configuration says "unlimited". */
function sizeText(bytes: number): string {
  if (bytes < 0) return 'unlimited'
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  let size = bytes
  while (size >= 1024 && size % 1024 === 0 && unit < units.length - 1) {
    size /= 1024
    unit++
  }
  return `${size} ${units[unit]}`
}

function powerOf({ process, linux }: Spec): string {
  const all = capabilityNames.length
  return [
    `${process.capabilities.bounding.length} of ${all} capabilities`,
    linux.seccomp ? 'a seccomp filter' : 'no seccomp filter',
    process.noNewPrivileges ? 'no new privileges' : 'setuid programs work',
  ].join(', ')
}
