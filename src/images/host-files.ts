// Files of this host collected for an image: each under its own path, with the directories and links on the way to it
// kept as they are here (`/bin` -> `usr/bin`, `libc.so.6`, /etc/alternatives).

import { closeSync, lstatSync, openSync, readlinkSync, readSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { MinictrError } from '../system/error.ts'
import { readElf } from './elf.ts'
import { sharedLibraries } from './shared-libraries.ts'

const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const MAX_LINKS = 40
/** Longer first lines of scripts the kernel does not read either (execve(2), "Interpreter scripts"). */
const MAX_SHEBANG_BYTES = 256

export type HostFile =
  | {
      type: 'file'
      hostPath: string
      mode: number
      uid: number
      gid: number
      sizeBytes: number
      mtimeMs: number
    }
  | { type: 'text'; text: string; mode: number }
  | { type: 'directory'; mode: number; uid: number; gid: number }
  | { type: 'link'; target: string; uid: number; gid: number }

/** What an image will hold, by path without the leading slash. */
export class HostFiles {
  readonly files = new Map<string, HostFile>()
  private readonly programs = new Set<string>()

  /**
   * Adds a program, by name (looked for in the usual PATH) or path, with its interpreter and shared libraries, or a script's
   * interpreter. Returns the path it has in the image. Throws MinictrError where something of it is not here.
   */
  addProgram(name: string): string {
    const path = findProgram(name)
    if (this.programs.has(path)) return path
    this.programs.add(path)
    this.addPath(path)
    const elf = readElf(path)
    if (elf) for (const library of sharedLibraries(path, elf)) this.addPath(library)
    else for (const interpreter of interpretersOf(path)) this.addProgram(interpreter)
    return path
  }

  /** Adds a file or a directory (without its content) of this host, with all that leads to it. */
  addPath(path: string): void {
    let rest = parts(resolve(path))
    let current = ''
    let links = 0
    for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
      const next = `${current}/${part}`
      const file = describe(next)
      this.files.set(next.slice(1), file)
      if (file.type !== 'link') {
        current = next
        continue
      }
      if (++links > MAX_LINKS) throw new MinictrError(`${path} leads through too many symbolic links`)
      rest = [...parts(resolve(current || '/', file.target)), ...rest]
      current = ''
    }
  }

  /** Adds a directory that need not exist on this host. */
  addDirectory(path: string, mode: number): void {
    this.files.set(path, { type: 'directory', mode, uid: 0, gid: 0 })
  }

  /** Adds a file with this content. */
  addText(path: string, text: string): void {
    this.files.set(path, { type: 'text', text, mode: 0o644 })
  }
}

function describe(path: string): HostFile {
  const stats = lstatSync(path)
  const { uid, gid } = stats
  const mode = stats.mode & 0o7777
  if (stats.isSymbolicLink()) return { type: 'link', target: readlinkSync(path), uid, gid }
  if (stats.isDirectory()) return { type: 'directory', mode, uid, gid }
  if (stats.isFile())
    return { type: 'file', hostPath: path, mode, uid, gid, sizeBytes: stats.size, mtimeMs: stats.mtimeMs }
  throw new MinictrError(`${path} is neither a file nor a directory`)
}

function parts(path: string): string[] {
  return path.split('/').filter(Boolean)
}

function findProgram(name: string): string {
  const candidates = name.includes('/') ? [resolve(name)] : PATH.map(directory => `${directory}/${name}`)
  const path = candidates.find(isProgram)
  if (path !== undefined) return path
  const where = name.includes('/') ? 'is no executable file' : `is in none of ${PATH.join(', ')}`
  throw new MinictrError(`The program ${name} ${where}`, {
    remedy: 'Name a program of this host, or give its path.',
  })
}

function isProgram(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats?.isFile() === true && (stats.mode & 0o111) !== 0
}

/** What a script's first line names: the interpreter, and where that is env(1), what env is to look for. */
function interpretersOf(path: string): string[] {
  const line = firstLine(path)
  const [interpreter, ...rest] = line.startsWith('#!')
    ? line
        .slice(2)
        .trim()
        .split(/[ \t]+/)
    : []
  if (!interpreter) {
    throw new MinictrError(`${path} is neither an ELF program nor a script that begins with #!`)
  }
  const searched =
    basename(interpreter) === 'env'
      ? rest.find(word => !word.startsWith('-') && !word.includes('='))
      : undefined
  return searched === undefined ? [interpreter] : [interpreter, searched]
}

function firstLine(path: string): string {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(MAX_SHEBANG_BYTES)
    return bytes.toString('utf8', 0, readSync(fd, bytes)).split('\n', 1)[0]!
  } finally {
    closeSync(fd)
  }
}
