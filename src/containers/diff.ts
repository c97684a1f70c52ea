// What a container has changed in its image's files: its writable layer compared with those below.

import { closeSync, constants, fstatSync, openSync, readdirSync, type Stats } from 'node:fs'
import { LayerStack } from '../images/layer-stack.ts'
import { layerOfContent } from '../images/layers.ts'
import { overlayOf, type Spec } from '../runtime/spec.ts'
import { errnoOf } from '../system/errno.ts'
import { type Executor, spawnExecutor } from '../system/executor.ts'
import { hostOwner, type IdMappings } from './id-mapping.ts'
import { readXattrs } from './packing.ts'
import { openTree, within } from './rooted.ts'
import type { Container } from './state.ts'

/** `path` from the container's root, as text. */
export type Change = { kind: 'A' | 'C' | 'D'; path: string }

type Below = NonNullable<ReturnType<LayerStack['find']>>

const LOOK = 0o10000000 | constants.O_NOFOLLOW // O_PATH

/**
 * The changes, sorted by path: added, changed (content, kind, mode, owner; of a directory what is in it, too), deleted. What
 * is under a directory that is gone is not told of. Source: moby, pkg/archive/changes.go; kernel documentation, overlayfs.
 */
export async function diffContainer({ spec }: Container): Promise<Change[]> {
  const overlay = overlayOf(spec)
  if (!overlay) return []
  const lower = new LayerStack(overlay.lower.map(layerOfContent))
  const { executor, close } = spawnExecutor()
  const root = openTree(overlay.upper)
  try {
    const comparison = new Comparison(lower, executor, spec)
    await comparison.directory(root, '', lower.find('/', false))
    return comparison.changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  } finally {
    closeSync(root)
    await close()
  }
}

/** Where a run itself puts what every container has: an image without these places has not been changed by that. */
function madePlaces({ mounts }: Spec): Set<string> {
  const own = ['/proc', '/dev', '/sys', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf']
  return new Set(mounts.map(({ destination }) => destination).filter(path => own.includes(path)))
}

class Comparison {
  readonly changes: Change[] = []
  private readonly lower: LayerStack
  private readonly executor: Executor
  private readonly mappings: Partial<IdMappings>
  private readonly made: Set<string>

  constructor(lower: LayerStack, executor: Executor, spec: Spec) {
    this.lower = lower
    this.executor = executor
    this.mappings = spec.linux
    this.made = madePlaces(spec)
  }

  /** Compares a directory of the upper layer, open, with what is below it; returns whether anything in it has changed. */
  async directory(fd: number, path: string, below: Below | undefined): Promise<boolean> {
    const before = this.changes.length
    const names = readdirSync(within(fd, ''), { encoding: 'latin1' })
    const opaque = new Set<string>()
    const marks = await readXattrs(
      this.executor,
      names.map(name => within(fd, name)),
      name => name === 'trusted.overlay.opaque',
    )
    names.forEach((name, index) => {
      if (marks[index]?.get('trusted.overlay.opaque')?.toString() === 'y') opaque.add(name)
    })
    for (const name of names) await this.compare(fd, name, `${path}/${toText(name)}`, below, opaque.has(name))
    return this.changes.length > before
  }

  private async compare(
    parent: number,
    name: string,
    path: string,
    parentBelow: Below | undefined,
    isOpaque: boolean,
  ): Promise<void> {
    const fd = look(parent, name)
    if (fd === undefined) return
    try {
      const stats = fstatSync(fd)
      const below = parentBelow && this.lower.find(path, false)
      if (isWhiteout(stats)) {
        if (below) this.changes.push({ kind: 'D', path })
        return
      }
      const isMade = this.made.has(path) && isUntouched(stats, below)
      if (!below) {
        if (!isMade) this.changes.push({ kind: 'A', path })
        if (stats.isDirectory()) await this.directory(fd, path, undefined)
        return
      }
      const wasDirectory = below.stats.isDirectory()
      let hasChanged = isDifferent(stats, below.stats, this.mappings)
      if (stats.isDirectory()) {
        if (await this.directory(fd, path, wasDirectory ? below : undefined)) hasChanged = true
        if (isOpaque && wasDirectory && this.hidden(fd, path, below)) hasChanged = true
      }
      if (hasChanged) this.changes.push({ kind: 'C', path })
    } finally {
      closeSync(fd)
    }
  }

  /** What an opaque directory hides without having it itself is deleted. */
  private hidden(fd: number, path: string, below: Below): boolean {
    const own = new Set(readdirSync(within(fd, ''), { encoding: 'latin1' }))
    const names = new Set(
      (below.directories ?? []).flatMap(each => readdirSync(each, { encoding: 'latin1' })),
    )
    let hasHidden = false
    for (const name of names) {
      const childPath = `${path}/${toText(name)}`
      if (own.has(name) || !this.lower.find(childPath, false)) continue
      this.changes.push({ kind: 'D', path: childPath })
      hasHidden = true
    }
    return hasHidden
  }
}

/** A name that has gone meanwhile is no change. */
function look(parent: number, name: string): number | undefined {
  try {
    return openSync(within(parent, name), LOOK)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0
}

/** An empty place to mount on, which the image does not have. */
function isUntouched(stats: Stats, below: Below | undefined): boolean {
  return below === undefined && (stats.isDirectory() || stats.size === 0)
}

function isDifferent(now: Stats, before: Stats, mappings: Partial<IdMappings>): boolean {
  const { uid, gid } = hostOwner(before.uid, before.gid, mappings)
  if (now.mode !== before.mode || now.uid !== uid || now.gid !== gid || now.rdev !== before.rdev) return true
  return !now.isDirectory() && (now.size !== before.size || now.mtimeMs !== before.mtimeMs)
}

function toText(name: string): string {
  return Buffer.from(name, 'latin1').toString()
}
