// ELF files: which interpreter and which shared libraries a program names, read from its headers and not by running it.

import { closeSync, openSync, readSync } from 'node:fs'
import { MinictrError } from '../system/error.ts'

const PT_LOAD = 1
const PT_DYNAMIC = 2
const PT_INTERP = 3
const DT_NULL = 0
const DT_NEEDED = 1
const DT_STRTAB = 5
const DT_RPATH = 15
const DT_RUNPATH = 29
const MAX_TEXT_BYTES = 4096
const MAX_TABLE_BYTES = 1024 * 1024

export type ElfFile = {
  /** The class and the machine: libraries must have the same. */
  abi: string
  /** The dynamic linker; none for libraries and static programs. */
  interpreter?: string
  needed: string[]
  /** Search directories with `$ORIGIN` as written; where there is a RUNPATH, RPATH does not count. */
  rpath: string[]
  runpath: string[]
}

type Segment = { type: number; offset: number; address: number; sizeBytes: number }

/**
 * Reads the dynamic section of an ELF file; undefined where the file is no ELF. Throws MinictrError for one that is
 * damaged or has the other byte order. Source: elf(5), System V ABI, "Dynamic Section".
 */
export function readElf(path: string): ElfFile | undefined {
  const fd = openSync(path, 'r')
  try {
    const head = readAt(fd, 0, 64)
    if (head.length < 52 || head.readUInt32BE(0) !== 0x7f454c46) return undefined
    if (head[5] !== 1)
      throw new MinictrError(`${path} is an ELF file in big-endian order, which no machine here runs`)
    return new Reader(fd, path, head).read()
  } finally {
    closeSync(fd)
  }
}

class Reader {
  private readonly fd: number
  private readonly path: string
  private readonly head: Buffer
  private readonly is64: boolean

  constructor(fd: number, path: string, head: Buffer) {
    this.fd = fd
    this.path = path
    this.head = head
    this.is64 = head[4] === 2
  }

  read(): ElfFile {
    const segments = this.segments()
    const interpreter = segments.find(({ type }) => type === PT_INTERP)
    const file: ElfFile = {
      abi: `${this.is64 ? 64 : 32}-bit machine ${this.head.readUInt16LE(18)}`,
      interpreter: interpreter && this.text(interpreter.offset),
      needed: [],
      rpath: [],
      runpath: [],
    }
    const dynamic = segments.find(({ type }) => type === PT_DYNAMIC)
    if (dynamic) this.readDynamic(file, dynamic, segments)
    if (file.runpath.length > 0) file.rpath = []
    return file
  }

  private readDynamic(file: ElfFile, dynamic: Segment, segments: Segment[]): void {
    const table = readAt(this.fd, dynamic.offset, Math.min(dynamic.sizeBytes, MAX_TABLE_BYTES))
    const tags: [tag: number, value: number][] = []
    const width = this.is64 ? 8 : 4
    for (let at = 0; at + 2 * width <= table.length; at += 2 * width) {
      const tag = this.word(table, at)
      if (tag === DT_NULL) break
      tags.push([tag, this.word(table, at + width)])
    }
    const strings = this.fileOffset(tags.find(([tag]) => tag === DT_STRTAB)?.[1] ?? 0, segments)
    for (const [tag, value] of tags) {
      if (tag === DT_NEEDED) file.needed.push(this.text(strings + value))
      else if (tag === DT_RPATH)
        file.rpath = this.text(strings + value)
          .split(':')
          .filter(Boolean)
      else if (tag === DT_RUNPATH)
        file.runpath = this.text(strings + value)
          .split(':')
          .filter(Boolean)
    }
  }

  private segments(): Segment[] {
    const { head, is64 } = this
    const start = is64 ? Number(head.readBigUInt64LE(32)) : head.readUInt32LE(28)
    const entryBytes = head.readUInt16LE(is64 ? 54 : 42)
    const count = head.readUInt16LE(is64 ? 56 : 44)
    const table = readAt(this.fd, start, entryBytes * count)
    if (table.length < entryBytes * count || (count > 0 && entryBytes < (is64 ? 56 : 32)))
      throw this.damaged()
    return Array.from({ length: count }, (_, index) => {
      const at = index * entryBytes
      const type = table.readUInt32LE(at)
      return is64
        ? {
            type,
            offset: this.word(table, at + 8),
            address: this.word(table, at + 16),
            sizeBytes: this.word(table, at + 32),
          }
        : {
            type,
            offset: this.word(table, at + 4),
            address: this.word(table, at + 8),
            sizeBytes: this.word(table, at + 16),
          }
    })
  }

  /** The dynamic section speaks of addresses in memory; the segments say where in the file these are. */
  private fileOffset(address: number, segments: Segment[]): number {
    const segment = segments.find(
      each => each.type === PT_LOAD && address >= each.address && address < each.address + each.sizeBytes,
    )
    if (!segment) throw this.damaged()
    return segment.offset + address - segment.address
  }

  private text(offset: number): string {
    const bytes = readAt(this.fd, offset, MAX_TEXT_BYTES)
    const end = bytes.indexOf(0)
    if (end < 0) throw this.damaged()
    return bytes.toString('utf8', 0, end)
  }

  private word(bytes: Buffer, at: number): number {
    return this.is64 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at)
  }

  private damaged(): MinictrError {
    return new MinictrError(`${this.path} is a damaged ELF file`)
  }
}

function readAt(fd: number, offset: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes)
  return bytes.subarray(0, readSync(fd, bytes, 0, lengthBytes, offset))
}
