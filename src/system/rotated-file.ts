// A file that is rotated while others read it: FILE grows, FILE.1 is what it was before, FILE.2 what that was, …

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { errnoOf } from './errno.ts'

/** Where the bytes go. */
export type Sink = {
  /** Where the next ones are to be put; never empty. */
  space(): Buffer
  /** So many have been put there. Resolves to whether more are wanted. */
  take(sizeBytes: number): Promise<boolean>
  /** The file has ended, and with it a line that was not finished; what comes is another file's. */
  endFile(): void
}

/** An open file. A rotation renames it, and it stays the same file. */
type Opened = { fd: number; inode: bigint; positionBytes: number }

const NEWLINE = 10
const TAIL_BLOCK_BYTES = 1 << 18

export class RotatedFile {
  private readonly path: string
  /** Oldest first; the last one grows. */
  private files: Opened[]

  /** Opens all files there are of `path`; there need not be any yet. Throws what node:fs throws, but for ENOENT. */
  constructor(path: string) {
    this.path = path
    this.files = this.openAll()
  }

  /** Reads all there is by now, oldest first, through all rotations; what comes later is for the next call. */
  async readOn(sink: Sink): Promise<void> {
    if (this.files.length === 0) this.files = this.openAll()
    for (let file = this.files[0]; file; file = this.files[0]) {
      // Looked for before reading: nothing is added to a file that has a successor.
      const successor = this.files[1] ?? this.openSuccessor(file)
      if (!(await drain(file, sink)) || !successor) return
      sink.endFile()
      closeSync(file.fd)
      this.files.shift()
      if (this.files.length === 0) this.files.push(successor)
    }
  }

  /** Skips all but the last `lines` lines of all files together, which are looked for from the end. */
  skipToTail(lines: number): void {
    let wanted = lines
    for (let index = this.files.length - 1; index >= 0; index--) {
      wanted -= seekTail(this.files[index]!, wanted)
      if (wanted > 0) continue
      for (const { fd } of this.files.splice(0, index)) closeSync(fd)
      return
    }
  }

  close(): void {
    for (const { fd } of this.files.splice(0)) closeSync(fd)
  }

  private openAll(): Opened[] {
    const files: Opened[] = []
    // From the newest on: a rotation meanwhile shows a file again, and hides none.
    for (let number = 0; ; number++) {
      const file = openFile(this.nameOf(number))
      if (!file && number > 0) return files.reverse()
      if (!file) continue
      if (files.some(({ inode }) => inode === file.inode)) closeSync(file.fd)
      else files.push(file)
    }
  }

  /** Opens the file that the writer went on with after this one; undefined while it has not. */
  private openSuccessor({ inode }: Opened): Opened | undefined {
    let oldest = -1
    for (let number = 0; ; number++) {
      const found = statSync(this.nameOf(number), { bigint: true, throwIfNoEntry: false })
      if (found?.ino === inode) return number === 0 ? undefined : openFile(this.nameOf(number - 1))
      if (!found && number > 0) break
      if (found) oldest = number
    }
    // Rotated away while it was read: on with what is left.
    return oldest < 0 ? undefined : openFile(this.nameOf(oldest))
  }

  private nameOf(number: number): string {
    return number === 0 ? this.path : `${this.path}.${number}`
  }
}

/** Reads to the file's end; false where the sink wants no more. */
async function drain(file: Opened, sink: Sink): Promise<boolean> {
  for (;;) {
    const space = sink.space()
    const count = readSync(file.fd, space, 0, space.length, file.positionBytes)
    if (count === 0) {
      // Where only one file may be kept, it is begun anew in its place.
      if (fstatSync(file.fd).size >= file.positionBytes) return true
      file.positionBytes = 0
      sink.endFile()
      continue
    }
    file.positionBytes += count
    if (!(await sink.take(count))) return false
  }
}

/** Moves to where the last `wanted` lines of one file begin, or to its beginning; returns how many there are from there. */
function seekTail(file: Opened, wanted: number): number {
  const block = Buffer.allocUnsafe(TAIL_BLOCK_BYTES)
  const sizeBytes = fstatSync(file.fd).size
  file.positionBytes = sizeBytes
  if (wanted === 0 || sizeBytes === 0) return 0
  let found = 0
  for (let end = sizeBytes; end > 0; ) {
    const start = Math.max(0, end - block.length)
    const count = readSync(file.fd, block, 0, end - start, start)
    // The newline at the very end ends the last line, and begins none.
    for (let at = end === sizeBytes ? count - 2 : count - 1; at >= 0; at--) {
      if (block[at] !== NEWLINE || ++found < wanted) continue
      file.positionBytes = start + at + 1
      return found
    }
    end = start
  }
  file.positionBytes = 0
  return found + 1
}

function openFile(path: string): Opened | undefined {
  try {
    const fd = openSync(path, 'r')
    return { fd, inode: fstatSync(fd, { bigint: true }).ino, positionBytes: 0 }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
