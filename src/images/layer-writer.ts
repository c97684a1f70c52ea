// Writing a layer's entries as files: at once what Node can do, at the end (layer-finish.ts) what takes the executor or
// what later entries would undo.

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  type PathLike,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { MinictrError } from '../system/error.ts'
import { writeAll } from '../system/write-all.ts'
import { attributesOf, copyFile } from './copy-up.ts'
import { type Entry, showPath } from './entry.ts'
import type { LayerStack } from './layer-stack.ts'
import { type Directory, type Inode, join, LayerTree, type Node, normalise } from './layer-tree.ts'
import type { Timestamp } from './pax.ts'
import type { EntryReceiver } from './tar.ts'
import { readWhiteout } from './whiteout.ts'

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
/** Extended attributes by which overlay keeps its own books: from a layer they could lead it to other directories. */
const OVERLAY_XATTR = /^(?:trusted|user)\.overlay\./
/** A file that is complete once it is written. */
const WRITTEN: Node = { kind: 'file' }

/** Receives a tar's entries and makes the layer of them in an empty directory. */
export class LayerWriter implements EntryReceiver {
  readonly tree = new LayerTree(path => this.makeImplied(path))
  /** Paths that are to hide what is below. */
  readonly whiteouts = new Set<string>()
  readonly lower: LayerStack | undefined
  /** Bytes of all files. */
  sizeBytes = 0
  /** Whether the content would be another on other layers. */
  dependsOnLower = false
  private readonly prefix: string
  private readonly umask = process.umask()
  /** What root makes belongs to root already. */
  private readonly isRoot = process.geteuid!() === 0 && process.getegid!() === 0
  private entry: Entry | undefined
  private path = ''
  private fd = -1
  private endBytes = 0

  /** `directory` is empty and ours; `lower` are the layers below, if any. */
  constructor(directory: string, lower: LayerStack | undefined) {
    // Names are byte strings, so the directory's own name becomes one too.
    this.prefix = `${Buffer.from(directory).toString('latin1')}/`
    this.lower = lower
  }

  begin(entry: Entry): void {
    this.entry = entry
    this.naming(() => this.make(entry))
  }

  data(chunk: Buffer, start: number, length: number, position: number | null): void {
    if (this.fd < 0) return
    this.naming(() => {
      writeAll(this.fd, chunk, start, length, position)
      this.endBytes = (position ?? this.endBytes) + length
    })
  }

  end(): void {
    if (this.fd >= 0) this.naming(() => this.finishFile(this.entry!))
    this.entry = undefined
  }

  /** Closes what an error left open; the directory is the caller's to remove. */
  abandon(): void {
    if (this.fd >= 0) closeSync(this.fd)
    this.fd = -1
  }

  /** The file system's name for a path of the layer: bytes where they are no ASCII. */
  hostPath(path: string): PathLike {
    const full = this.prefix + path
    return /[^\0-\x7f]/.test(full) ? Buffer.from(full, 'latin1') : full
  }

  /** Gives the owner, where it is not what was made already. */
  own(path: string, { uid, gid }: Entry): void {
    if (!this.isRoot || uid !== 0 || gid !== 0) lchownSync(this.hostPath(path), uid, gid)
  }

  private make(entry: Entry): void {
    this.endBytes = 0
    const name = normalise(entry.path)
    const whiteout = readWhiteout(name.slice(name.lastIndexOf('/') + 1))
    if (name === '') this.setRoot(entry)
    else if (whiteout?.kind === 'remove') this.whiteouts.add(join(this.parentOf(name), whiteout.name))
    else if (whiteout?.kind === 'opaque') this.directoryAt(this.parentOf(name)).isOpaque = true
    else if (whiteout === undefined) {
      this.path = this.tree.place(name)
      const existing = this.tree.nodes.get(this.path)
      if (existing?.kind === 'directory' && entry.type === 'directory') existing.entry = entry
      else {
        if (entry.type === 'hard-link' && this.targetOf(entry) === this.path) return
        if (existing) this.clear(this.path)
        this.tree.set(this.path, this.makeNode(entry, this.path))
      }
    }
  }

  private makeNode(entry: Entry, path: string): Node {
    entry.xattrs = withoutOverlay(entry.xattrs)
    if (entry.type === 'file') {
      this.fd = openSync(this.hostPath(path), CREATE, entry.mode & 0o777)
      return isLate(entry) ? { kind: 'file', inode: { entry, paths: new Set([path]) } } : WRITTEN
    }
    if (entry.type === 'directory') return this.makeDirectory(path, entry)
    if (entry.type === 'symbolic-link') return this.makeSymbolicLink(entry, path)
    if (entry.type === 'hard-link') return this.makeHardLink(entry, path)
    return { kind: 'file', inode: { entry, paths: new Set([path]) } }
  }

  private makeDirectory(path: string, entry?: Entry): Directory {
    const mode = (entry?.mode ?? 0o755) & 0o777
    mkdirSync(this.hostPath(path), mode)
    return { kind: 'directory', entry, madeWithMode: mode & ~this.umask, isOpaque: false }
  }

  /** A parent that no entry of the tar has made: as it is in the layers below, else 0755 of root's. */
  private makeImplied(path: string): Directory {
    const directory = this.makeDirectory(path)
    if (this.lower) {
      this.dependsOnLower = true
      const below = this.lower.find(toText(path), false)
      if (below?.stats.isDirectory()) directory.entry = attributesOf(below.hostPath)
    }
    return directory
  }

  private makeSymbolicLink(entry: Entry, path: string): Node {
    const target = Buffer.from(entry.linkPath, 'latin1')
    if (target.length === 0 || target.includes(0))
      throw new MinictrError('its link target is empty or holds a NUL byte')
    symlinkSync(target, this.hostPath(path))
    this.own(path, entry)
    this.setTimes(path, entry.mtime)
    const inode: Inode | undefined = isLate(entry) ? { entry, paths: new Set([path]) } : undefined
    return { kind: 'symbolic-link', target: entry.linkPath, inode }
  }

  private makeHardLink(entry: Entry, path: string): Node {
    const target = this.targetOf(entry) ?? this.bringUp(entry)
    const node = this.tree.nodes.get(target)!
    if (node.kind === 'directory')
      throw new MinictrError(`it is a hard link to the directory ${showPath(target)}`)
    // Devices are made at the end, under all their names.
    if (!node.inode || !isSpecial(node.inode.entry)) linkSync(this.hostPath(target), this.hostPath(path))
    node.inode?.paths.add(path)
    return node
  }

  private targetOf(entry: Entry): string | undefined {
    return this.tree.find(normalise(entry.linkPath))
  }

  /** Copies the file of a lower layer that a hard link names into this one, as writing to it would; returns its path. */
  private bringUp(entry: Entry): string {
    this.dependsOnLower = true
    const found = this.lower?.find(toText(normalise(entry.linkPath)), false)
    if (!found)
      throw new MinictrError(`it is a hard link to ${showPath(entry.linkPath)}, which does not exist`)
    if (found.stats.isDirectory())
      throw new MinictrError(`it is a hard link to the directory ${showPath(entry.linkPath)}`)
    const path = this.tree.place(Buffer.from(found.path.slice(1)).toString('latin1'))
    copyFile(found.hostPath, toText(this.prefix + path))
    this.tree.set(path, WRITTEN)
    this.sizeBytes += found.stats.size
    return path
  }

  private finishFile(entry: Entry): void {
    const { fd } = this
    const { mode, uid, gid, mtime, sizeBytes } = entry
    this.sizeBytes += sizeBytes
    // A sparse file may end in a hole.
    if (this.endBytes < sizeBytes) ftruncateSync(fd, sizeBytes)
    if (!this.isRoot || uid !== 0 || gid !== 0) fchownSync(fd, uid, gid)
    if ((mode & 0o777 & ~this.umask) !== mode) fchmodSync(fd, mode)
    if (mtime.seconds >= 0) futimesSync(fd, mtime.seconds, mtime.seconds)
    this.fd = -1
    closeSync(fd)
  }

  private setRoot(entry: Entry): void {
    if (entry.type !== 'directory')
      throw new MinictrError(`it would make the root of the layer a ${entry.type}`)
    this.directoryAt('').entry = { ...entry, xattrs: withoutOverlay(entry.xattrs) }
  }

  private parentOf(name: string): string {
    const path = this.tree.place(name)
    return path.slice(0, Math.max(0, path.lastIndexOf('/')))
  }

  private directoryAt(path: string): Directory {
    return this.tree.nodes.get(path) as Directory
  }

  /** Makes way for a later entry of the same path. */
  private clear(path: string): void {
    rmSync(this.hostPath(path), { recursive: true, force: true })
    this.tree.remove(path)
  }

  private setTimes(path: string, { seconds }: Timestamp): void {
    if (seconds >= 0) lutimesSync(this.hostPath(path), seconds, seconds)
  }

  private naming<T>(action: () => T): T {
    try {
      return action()
    } catch (error) {
      throw named(error, this.entry)
    }
  }
}

/** Whether the executor has to finish the file. Node keeps times as doubles (no nanoseconds) and none before 1970. */
function isLate({ xattrs, mtime }: Entry): boolean {
  return xattrs !== undefined || mtime.nanoseconds !== 0 || mtime.seconds < 0
}

/** Whether it is neither file, directory nor link, so that only mknod makes it. */
export function isSpecial({ type }: Entry): boolean {
  return type === 'character-device' || type === 'block-device' || type === 'fifo'
}

/** A byte string as text: what a name in UTF-8 says. */
export function toText(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8')
}

function withoutOverlay(xattrs: Entry['xattrs']): Entry['xattrs'] {
  if (!xattrs) return undefined
  const kept = [...xattrs].filter(([name]) => !OVERLAY_XATTR.test(name))
  return kept.length > 0 ? new Map(kept) : undefined
}

function named(error: unknown, entry: Entry | undefined): unknown {
  const where = entry ? `entry ${showPath(entry.path)}: ` : ''
  if (error instanceof MinictrError) return new MinictrError(where + error.message, { cause: error })
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === undefined) return error
  const isFull = code === 'ENOSPC' || code === 'EDQUOT'
  return new MinictrError(`${where}${syscall} failed with ${code}${isFull ? ': the disk is full' : ''}`, {
    remedy: isFull
      ? 'Free space, or choose another disk with --root; what was half unpacked has been removed.'
      : undefined,
    cause: error,
  })
}
