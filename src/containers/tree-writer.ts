// Unpacking a tar into a directory that is there already, and may belong to somebody hostile: each entry is made in a
// directory that was walked to inside the tree (rooted.ts), under a name that is followed by nobody.

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { type Entry, showPath } from '../images/entry.ts'
import { normalise } from '../images/layer-tree.ts'
import type { EntryReceiver } from '../images/tar.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import type { Call, Executor } from '../system/executor.ts'
import { writeAll } from '../system/write-all.ts'
import { type Place, walk, within } from './rooted.ts'

export type Writing = {
  /** The tree's root, open: nothing outside it is touched. */
  root: number
  /** The directory in it that the archive's names count from; '' is the root itself. */
  base: string
  /** Who is to own what the archive says belongs to these; undefined: whoever makes it. */
  ownerOf(uid: number, gid: number): { uid: number; gid: number } | undefined
  /** Makes what Node cannot: devices, extended attributes, times to the nanosecond. */
  executor: Executor
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const FILE_TYPE_BITS = { 'character-device': 0o020000, 'block-device': 0o060000, fifo: 0o010000 }
const BATCH = 500

/** Receives a tar's entries; `finish` makes the rest. Throws MinictrError for what must not be overwritten. */
export class TreeWriter implements EntryReceiver {
  /** Bytes of all files. */
  sizeBytes = 0
  private readonly writing: Writing
  private entry: Entry | undefined
  private fd = -1
  private endBytes = 0
  private parent: { path: string; place: Place } | undefined
  /** For the executor, in order; what directories are to be like comes last, deepest first. */
  private readonly calls: Call[] = []
  private readonly directories: Call[][] = []

  constructor(writing: Writing) {
    this.writing = writing
  }

  begin(entry: Entry): void {
    this.entry = entry
    this.endBytes = 0
    this.naming(() => this.make(entry, normalise(entry.path)))
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

  /** Makes what is left, once the archive has ended. */
  async finish(): Promise<void> {
    const calls = [...this.calls, ...this.directories.reverse().flat()]
    for (let at = 0; at < calls.length; at += BATCH) {
      const batch = calls.slice(at, at + BATCH)
      const { answers } = await this.writing.executor.perform(batch)
      const last = answers.at(-1)
      const failed = batch[answers.length - 1]
      if (last?.errno === undefined || failed?.tolerate?.includes(last.errno)) continue
      const [, path] = failed?.args ?? []
      const name = path instanceof Uint8Array ? Buffer.from(path).toString() : String(path)
      throw new MinictrError(`${failed?.name} ${name} failed with ${last.errno}`)
    }
  }

  /** Closes what is open, after an error too. */
  close(): void {
    if (this.fd >= 0) closeSync(this.fd)
    if (this.parent) closeSync(this.parent.place.directory)
    this.fd = -1
    this.parent = undefined
  }

  private make(entry: Entry, name: string): void {
    // The directory itself was there before, and stays as it is.
    if (name === '') return
    const slash = name.lastIndexOf('/')
    const { directory, path } = this.parentOf(name.slice(0, Math.max(0, slash)))
    const last = name.slice(slash + 1)
    const way = within(directory, last)
    const existing = lstatSync(way, { throwIfNoEntry: false })
    const isDirectory = entry.type === 'directory'
    if (existing?.isDirectory() && !isDirectory)
      throw new MinictrError(`cannot overwrite directory ${showPath(`/${path}/${last}`)} with non-directory`)
    if (existing && !existing.isDirectory() && isDirectory)
      throw new MinictrError(`cannot overwrite non-directory ${showPath(`/${path}/${last}`)} with directory`)
    const place = path === '' ? last : `${path}/${last}`
    if (isDirectory) {
      if (!existing) mkdirSync(way, 0o700)
      this.settleDirectory(entry, place)
      return
    }
    if (existing) unlinkSync(way)
    this.makeFile(entry, way, place)
  }

  private makeFile(entry: Entry, way: Buffer, place: string): void {
    const owner = this.writing.ownerOf(entry.uid, entry.gid)
    if (entry.type === 'file') {
      this.fd = openSync(way, CREATE, 0o600)
      this.later(entry, place)
    } else if (entry.type === 'symbolic-link') {
      symlinkSync(Buffer.from(entry.linkPath, 'latin1'), way)
      if (owner) lchownSync(way, owner.uid, owner.gid)
      this.later(entry, place)
    } else if (entry.type === 'hard-link') {
      const target = walk(this.writing.root, this.inTree(normalise(entry.linkPath)), false)
      if (!target?.stats)
        throw new MinictrError(`it is a hard link to ${showPath(entry.linkPath)}, which does not exist`)
      try {
        linkSync(within(target.directory, target.name), way)
      } finally {
        closeSync(target.directory)
      }
    } else if (entry.type !== 'directory') {
      const bits = FILE_TYPE_BITS[entry.type]
      const scoped = this.scoped(place)
      this.calls.push({ name: 'mknod', args: [...scoped, bits | entry.mode, entry.major, entry.minor] })
      if (owner) this.calls.push({ name: 'lchown', args: [...scoped, owner.uid, owner.gid] })
      this.later(entry, place)
    }
  }

  private finishFile({ uid, gid, mode, mtime, sizeBytes }: Entry): void {
    const { fd } = this
    this.sizeBytes += sizeBytes
    const owner = this.writing.ownerOf(uid, gid)
    if (owner) fchownSync(fd, owner.uid, owner.gid)
    fchmodSync(fd, mode)
    futimesSync(fd, Math.max(0, mtime.seconds), Math.max(0, mtime.seconds))
    this.fd = -1
    closeSync(fd)
  }

  /** A directory is as the archive says once nothing is put into it any more. */
  private settleDirectory(entry: Entry, place: string): void {
    const owner = this.writing.ownerOf(entry.uid, entry.gid)
    const scoped = this.scoped(place)
    const calls: Call[] = owner ? [{ name: 'lchown', args: [...scoped, owner.uid, owner.gid] }] : []
    calls.push({ name: 'chmod', args: [...scoped, entry.mode] }, ...this.attributes(entry, place))
    this.directories.push(calls)
  }

  private later(entry: Entry, place: string): void {
    this.calls.push(...this.attributes(entry, place))
  }

  private attributes({ xattrs, mtime }: Entry, place: string): Call[] {
    const scoped = this.scoped(place)
    const calls: Call[] = [...(xattrs ?? [])]
      .filter(([name]) => name.startsWith('user.') || name === 'security.capability')
      .map(([name, value]) => ({
        name: 'lsetxattr',
        args: [...scoped, Buffer.from(name, 'latin1'), value],
        tolerate: ['EOPNOTSUPP', 'EPERM'],
      }))
    calls.push({ name: 'utimens', args: [...scoped, mtime.seconds, mtime.nanoseconds] })
    return calls
  }

  /** Inside the tree for the executor, too. */
  private scoped(place: string): [root: string, path: Buffer] {
    return [`/proc/${process.pid}/fd/${this.writing.root}`, Buffer.from(place, 'latin1')]
  }

  private inTree(name: string): string {
    const { base } = this.writing
    return base === '' ? name : `${base}/${name}`
  }

  /** The directory that an entry goes into; one that no entry has made is made as root has it. */
  private parentOf(name: string): Place & { path: string } {
    if (this.parent?.path === name) return this.parent.place
    if (this.parent) closeSync(this.parent.place.directory)
    this.parent = undefined
    const place = this.directoryAt(name)
    this.parent = { path: name, place }
    return place
  }

  private directoryAt(name: string): Place {
    const found = walk(this.writing.root, `${this.inTree(name)}/.`, true)
    if (found?.stats?.isDirectory()) return this.enter(found)
    if (found) closeSync(found.directory)
    const slash = name.lastIndexOf('/')
    if (found?.stats || name === '')
      throw new MinictrError(`${showPath(`/${this.inTree(name)}`)} is not a directory`)
    const parent = this.directoryAt(name.slice(0, Math.max(0, slash)))
    try {
      mkdirSync(within(parent.directory, name.slice(slash + 1)), 0o755)
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    } finally {
      closeSync(parent.directory)
    }
    const made = walk(this.writing.root, this.inTree(name), true)
    if (!made?.stats?.isDirectory()) {
      if (made) closeSync(made.directory)
      throw new MinictrError(`${showPath(`/${this.inTree(name)}`)} is not a directory`)
    }
    return this.enter(made)
  }

  /** From a directory's place to the directory itself. */
  private enter(place: Place): Place {
    if (place.name === '') return place
    const look = 0o10000000 | constants.O_NOFOLLOW | constants.O_DIRECTORY // O_PATH
    const directory = openSync(within(place.directory, place.name), look)
    closeSync(place.directory)
    return { ...place, directory, name: '' }
  }

  private naming(action: () => void): void {
    try {
      action()
    } catch (error) {
      const code = errnoOf(error)
      if (error instanceof MinictrError || code === undefined) throw error
      throw new MinictrError(
        `${showPath(this.entry?.path ?? '')}: ${(error as Error).message.split(',')[0]}`,
        {
          cause: error,
        },
      )
    }
  }
}
