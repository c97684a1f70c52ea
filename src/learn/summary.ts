// What a container will be, in a few lines: the choices that flags, image and defaults came to.

import { capabilityNames } from '../runtime/capabilities.ts'
import { annotation, type OverlaySource, type Resources, type Spec } from '../runtime/spec.ts'

export type Summary = {
  image: { name?: string; digest?: string; id?: string }
  name?: string
  /** A short text for each thing that was decided, by its name, in reading order. */
  facts: Record<string, string>
}

/** The choices of a configuration, each as a line of text. */
export function summaryOf(spec: Spec): Summary {
  const { annotations } = spec
  return {
    image: {
      name: annotations[annotation.image],
      digest: annotations[annotation.imageDigest],
      id: annotations[annotation.imageId],
    },
    name: annotations[annotation.name],
    facts: {
      program: `${spec.process.args.join(' ')} in ${spec.process.cwd}`,
      user: userOf(spec),
      root: rootOf(spec),
      namespaces: namespacesOf(spec),
      mounts: spec.mounts.map(mount => mount.destination).join(' '),
      limits: limitsOf(spec.linux.resources ?? {}),
      power: powerOf(spec),
    },
  }
}

function userOf({ process: { user } }: Spec): string {
  const groups = user.additionalGids?.length ? `, groups ${user.additionalGids.join(' ')}` : ''
  return `${user.uid}:${user.gid}${groups}`
}

function rootOf(spec: Spec): string {
  const overlay = spec.annotations[annotation.overlay]
  const layers = overlay === undefined ? 0 : (JSON.parse(overlay) as OverlaySource).lower.length
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

function limitsOf({ memory, cpu, pids, blockIO }: Resources): string {
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
