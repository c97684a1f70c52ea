// Packing a file tree as a tar, while somebody hostile may be changing it: each file is opened once, looked at, and read
// through that descriptor only.

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statfsSync,
} from 'node:fs'
import type { Entry, EntryType } from '../images/entry.ts'
import { encodeEntry } from '../images/tar-entry.ts'
import { END_OF_ARCHIVE_BYTES, padding } from '../images/tar-writer.ts'
import { errnoOf } from '../system/errno.ts'
import type { Executor } from '../system/executor.ts'
import { within } from './rooted.ts'

export type Packing = {
  /** Reads what Node cannot: extended attributes. */
  executor: Executor
  /** The owner that the archive names for one of the file system. */
  ownerOf(uid: number, gid: number): { uid: number; gid: number }
}

const LOOK = 0o10000000 | constants.O_NOFOLLOW // O_PATH
const CHUNK_BYTES = 1 << 20
/** proc and sysfs (magic.h): what is in them are answers of the kernel, which nobody can put back. */
const KERNEL_FILE_SYSTEMS = [0x9fa0, 0x62656572]

/**
 * Gives the archive of one file or directory, piece by piece; a piece is good until the next is asked for. `path` leads to it
 * (within), `name` is what the archive calls it. Sockets are left out, as in every tar; proc and sysfs are empty directories,
 * unless they are what was asked for. Throws what node:fs throws.
 */
export async function* pack(packing: Packing, path: Buffer, name: string): AsyncGenerator<Buffer> {
  const [xattrs] = await readXattrs(packing.executor, [path])
  yield* new Packer(packing).pack(path, name, xattrs, true)
  yield Buffer.alloc(END_OF_ARCHIVE_BYTES)
}

class Packer {
  private readonly packing: Packing
  private readonly chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  /** The first name of each file that has several. */
  private readonly linked = new Map<string, string>()

  constructor(packing: Packing) {
    this.packing = packing
  }

  async *pack(
    path: Buffer,
    name: string,
    xattrs: Entry['xattrs'],
    isAskedFor: boolean,
  ): AsyncGenerator<Buffer> {
    const fd = openSync(path, LOOK)
    try {
      const stats = fstatSync(fd, { bigint: true })
      const type = typeOf(Number(stats.mode))
      if (type === undefined) return
      const { uid, gid } = this.packing.ownerOf(Number(stats.uid), Number(stats.gid))
      const entry: Entry = {
        type,
        path: type === 'directory' ? `${name}/` : name,
        linkPath: type === 'symbolic-link' ? readlinkSync(path, 'latin1') : '',
        mode: Number(stats.mode) & 0o7777,
        uid,
        gid,
        sizeBytes: type === 'file' ? Number(stats.size) : 0,
        mtime: timeOf(stats.mtimeNs),
        major: isDevice(type) ? majorOf(stats.rdev) : 0,
        minor: isDevice(type) ? minorOf(stats.rdev) : 0,
        ...(xattrs && xattrs.size > 0 && (type === 'file' || type === 'directory') && { xattrs }),
      }
      if (type !== 'directory' && stats.nlink > 1n) {
        const key = `${stats.dev}:${stats.ino}`
        const first = this.linked.get(key)
        if (first !== undefined) {
          yield encodeEntry({ ...entry, type: 'hard-link', linkPath: first, sizeBytes: 0, xattrs: undefined })
          return
        }
        this.linked.set(key, name)
      }
      yield encodeEntry(entry)
      if (type === 'file') yield* this.content(fd, entry.sizeBytes)
      if (type === 'directory' && (isAskedFor || !isKernels(fd))) yield* this.children(fd, name)
    } finally {
      closeSync(fd)
    }
  }

  /** As many bytes as the header says: of a file that grows meanwhile the first ones, zeros behind one that shrinks. */
  private *content(place: number, sizeBytes: number): Generator<Buffer> {
    const fd = openSync(`/proc/self/fd/${place}`, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      for (let done = 0; done < sizeBytes; ) {
        const wanted = Math.min(CHUNK_BYTES, sizeBytes - done)
        let count = readSync(fd, this.chunk, 0, wanted, done)
        if (count === 0) {
          this.chunk.fill(0, 0, wanted)
          count = wanted
        }
        done += count
        yield this.chunk.subarray(0, count)
      }
      yield padding(sizeBytes)
    } finally {
      closeSync(fd)
    }
  }

  private async *children(directory: number, name: string): AsyncGenerator<Buffer> {
    const names = readdirSync(within(directory, ''), { encoding: 'latin1' }).sort()
    const paths = names.map(each => within(directory, each))
    const xattrs = await readXattrs(this.packing.executor, paths)
    for (const [index, each] of names.entries()) {
      try {
        yield* this.pack(paths[index]!, `${name}/${each}`, xattrs[index], false)
      } catch (error) {
        // Gone between listing and opening.
        if (errnoOf(error) !== 'ENOENT') throw error
      }
    }
  }
}

function isKernels(directory: number): boolean {
  return KERNEL_FILE_SYSTEMS.includes(statfsSync(`/proc/self/fd/${directory}`).type)
}

/**
 * The extended attributes of each path that belong to the file rather than to this host's file system or policy. `path` goes
 * through /proc/self, which the executor knows under this process's number.
 */
export async function readXattrs(
  executor: Executor,
  paths: Buffer[],
  isWanted: (name: string) => boolean = name => name.startsWith('user.') || name === 'security.capability',
): Promise<Map<string, Buffer>[]> {
  if (paths.length === 0) return []
  const tolerate = ['ENOENT', 'EOPNOTSUPP', 'ELOOP', 'ENOTDIR', 'EACCES', 'EPERM']
  const calls = paths.map(path => ({ name: 'read_xattrs', args: [seenFromOutside(path)], tolerate }))
  const { answers } = await executor.perform(calls)
  return paths.map((_, index) => {
    const found = new Map<string, Buffer>()
    const data = answers[index]?.data ?? Buffer.alloc(0)
    for (let at = 0; at < data.length; ) {
      const name = counted(data, at)
      const value = counted(data, at + 4 + name.length)
      at += 8 + name.length + value.length
      if (isWanted(name.toString('latin1'))) found.set(name.toString('latin1'), Buffer.from(value))
    }
    return found
  })
}

/** A way through this process's descriptors, for another process. */
function seenFromOutside(path: Buffer): Buffer {
  return Buffer.from(path.toString('latin1').replace('/proc/self/', `/proc/${process.pid}/`), 'latin1')
}

function counted(data: Buffer, at: number): Buffer {
  return data.subarray(at + 4, at + 4 + data.readUInt32LE(at))
}

const TYPES: [bits: number, type: EntryType][] = [
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'directory'],
  [constants.S_IFLNK, 'symbolic-link'],
  [constants.S_IFCHR, 'character-device'],
  [constants.S_IFBLK, 'block-device'],
  [constants.S_IFIFO, 'fifo'],
]

function typeOf(mode: number): EntryType | undefined {
  return TYPES.find(([bits]) => (mode & constants.S_IFMT) === bits)?.[1]
}

function isDevice(type: EntryType): boolean {
  return type === 'character-device' || type === 'block-device'
}

/** How the kernel puts a device number together (makedev(3)). */
function majorOf(device: bigint): number {
  return Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn))
}

function minorOf(device: bigint): number {
  return Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn))
}

function timeOf(ns: bigint): Entry['mtime'] {
  const nanoseconds = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  return { seconds: Number((ns - nanoseconds) / 1_000_000_000n), nanoseconds: Number(nanoseconds) }
}
