// --userns-remap: which users of this host stand for the users of a container (user_namespaces(7), subuid(5)).

import type { SpecIdMapping } from '../runtime/spec.ts'
import { MinictrError } from '../system/error.ts'
import type { HostFiles } from './host-files.ts'
import type { RunOptions } from './options.ts'

export type IdMappings = { uidMappings: SpecIdMapping[]; gidMappings: SpecIdMapping[] }

const UID_FILE = '/etc/subuid'
const GID_FILE = '/etc/subgid'
/** Whose lines `auto` looks for. */
const AUTO_USER = 'minictr'
/** Without such lines, `auto` takes the first range from here on that nobody in the files has. */
const AUTO_START = 524_288
const AUTO_SIZE = 65_536
/** /proc/sys/kernel/overflowuid */
const OVERFLOW_ID = 65_534

type Range = { owner: string; start: number; size: number }

/**
 * The mappings that USER, USER:GROUP or `auto` stand for: the ranges of /etc/subuid and /etc/subgid, laid end to end from
 * id 0 on. `default` is Docker's word for `auto`. Throws MinictrError where a name has no range. Source: dockerd(8),
 * --userns-remap.
 */
export function resolveMappings(remap: string, host: HostFiles): IdMappings {
  const [user = '', group = user, ...more] = remap.split(':')
  if (user === '' || group === '' || more.length > 0) {
    throw new MinictrError(
      `Invalid --userns-remap ${JSON.stringify(remap)}: it takes USER, USER:GROUP or auto`,
    )
  }
  const uids = readRanges(UID_FILE, host)
  const gids = readRanges(GID_FILE, host)
  if (user === 'auto' || user === 'default') return autoMappings(uids, gids)
  return {
    uidMappings: mappingsOf(user, uids, { file: UID_FILE, database: '/etc/passwd' }, host),
    gidMappings: mappingsOf(group, gids, { file: GID_FILE, database: '/etc/group' }, host),
  }
}

/** The user and group of this host that a container's user and group are. */
export function hostOwner(
  uid: number,
  gid: number,
  mappings: Partial<IdMappings> | undefined,
): { uid: number; gid: number } {
  return { uid: toHost(uid, mappings?.uidMappings), gid: toHost(gid, mappings?.gidMappings) }
}

function toHost(id: number, mappings: SpecIdMapping[] | undefined): number {
  const range = mappings?.find(({ containerID, size }) => id >= containerID && id < containerID + size)
  return range === undefined ? id : range.hostID + id - range.containerID
}

/** Throws MinictrError, in Docker's words, for what a user namespace of its own makes impossible. */
export function checkMapped({ privileged, network, namespaces, mounts }: RunOptions): void {
  const remedy = 'Add --userns host to do without the mapping.'
  const refuse = (message: string) => new MinictrError(message, { remedy })
  if (privileged) {
    throw refuse(
      'privileged mode is incompatible with user namespaces. You must run the container in the host namespace when running privileged mode',
    )
  }
  if (network === 'host')
    throw refuse("cannot share the host's network namespace when user namespaces are enabled")
  if (namespaces.pid === 'host') {
    throw refuse('cannot share the host PID namespace when user namespaces are enabled')
  }
  const tied = mounts.find(mount => mount.type === 'bind' && /slave|shared/.test(mount.propagation ?? ''))
  if (tied) {
    throw refuse(
      `the mount at ${tied.target} cannot stay tied to the host when user namespaces are enabled: its flags could be taken off inside`,
    )
  }
}

function autoMappings(uids: Range[], gids: Range[]): IdMappings {
  const own = (ranges: Range[]) => ranges.filter(({ owner }) => owner === AUTO_USER)
  if (own(uids).length > 0 && own(gids).length > 0) {
    return { uidMappings: endToEnd(own(uids)), gidMappings: endToEnd(own(gids)) }
  }
  const start = firstFree([...uids, ...gids])
  const mapping = [{ containerID: 0, hostID: start, size: AUTO_SIZE }]
  return { uidMappings: mapping, gidMappings: mapping }
}

function firstFree(taken: Range[]): number {
  let start = AUTO_START
  for (const range of taken.toSorted((a, b) => a.start - b.start)) {
    if (range.start < start + AUTO_SIZE && range.start + range.size > start) start = range.start + range.size
  }
  return start
}

/** A line may name its owner or give the number. */
function mappingsOf(
  name: string,
  ranges: Range[],
  { file, database }: { file: string; database: string },
  host: HostFiles,
): SpecIdMapping[] {
  const entry = (host.readText(database) ?? '').split('\n').find(line => line.startsWith(`${name}:`))
  const names = [name, ...(entry === undefined ? [] : [entry.split(':')[2]!])]
  const own = ranges.filter(({ owner }) => names.includes(owner))
  if (own.length > 0) return endToEnd(own)
  throw new MinictrError(`--userns-remap: ${file} has no range for ${JSON.stringify(name)}`, {
    remedy: `Add a line such as ${name}:100000:65536 to ${file}, or use --userns-remap auto.`,
  })
}

function endToEnd(ranges: Range[]): SpecIdMapping[] {
  let containerID = 0
  return ranges.map(({ start, size }) => {
    const mapping = { containerID, hostID: start, size }
    containerID += size
    return mapping
  })
}

function readRanges(file: string, host: HostFiles): Range[] {
  return (host.readText(file) ?? '').split('\n').flatMap(line => {
    const [, owner, start, size] = /^([^:#]+):(\d+):(\d+)$/.exec(line.trim()) ?? []
    return owner === undefined ? [] : [{ owner, start: Number(start), size: Number(size) }]
  })
}

/** The other way round; beyond the mapping it is nobody (user_namespaces(7), "Unmapped user and group IDs"). */
export function containerOwner(
  uid: number,
  gid: number,
  mappings: Partial<IdMappings> = {},
): { uid: number; gid: number } {
  return { uid: toContainer(uid, mappings.uidMappings), gid: toContainer(gid, mappings.gidMappings) }
}

function toContainer(id: number, mappings: SpecIdMapping[] | undefined): number {
  if (!mappings) return id
  const range = mappings.find(({ hostID, size }) => id >= hostID && id < hostID + size)
  return range === undefined ? OVERFLOW_ID : range.containerID + id - range.hostID
}
