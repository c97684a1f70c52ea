// The shared libraries of a program, found as the dynamic linker would find them: its interpreter is not run for it
// (as ldd does), because a program that is only to be packed need not be trusted, nor even be for this machine's C library.

import { realpathSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { MinictrError } from '../system/error.ts'
import { type ElfFile, readElf } from './elf.ts'
import { readLdCache } from './ld-cache.ts'

/** Where glibc looks at the end (ld.so(8)); Debian's builds look in the directories of the architecture as well. */
const GLIBC_DIRECTORIES = ['/lib64', '/usr/lib64', '/lib', '/usr/lib']
const MUSL_DIRECTORIES = ['/lib', '/usr/local/lib', '/usr/lib']
const TRIPLETS: Record<string, string> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }
const PLATFORMS: Record<string, string> = { x64: 'x86_64', arm64: 'aarch64' }

type Loaded = { path: string; elf: ElfFile; loader?: Loaded }

/**
 * The paths of what an ELF program needs to start: interpreter and libraries, links not followed. Throws MinictrError
 * naming the library that is not there, who needs it and where it was looked for. Source: ld.so(8), "DESCRIPTION".
 */
export function sharedLibraries(program: string, elf: ElfFile): string[] {
  return elf.interpreter === undefined ? [] : new Search(elf).run(program, elf)
}

class Search {
  private readonly abi: string
  private readonly interpreter: string
  private readonly cache: Map<string, string[]>
  private readonly directories: string[]

  constructor({ abi, interpreter }: ElfFile) {
    this.abi = abi
    this.interpreter = interpreter!
    const isMusl = basename(this.interpreter).startsWith('ld-musl')
    const triplet = TRIPLETS[process.arch]
    this.cache = isMusl ? new Map() : readLdCache()
    this.directories = isMusl
      ? MUSL_DIRECTORIES
      : [...(triplet ? [`/lib/${triplet}`, `/usr/lib/${triplet}`] : []), ...GLIBC_DIRECTORIES]
  }

  run(program: string, elf: ElfFile): string[] {
    const found = new Map<string, Loaded>()
    const queue: Loaded[] = [{ path: realpathSync(program), elf }]
    for (let loaded = queue.shift(); loaded; loaded = queue.shift()) {
      for (const name of loaded.elf.needed) {
        // The interpreter is a library too, and there already.
        if (found.has(name) || name === basename(this.interpreter)) continue
        const library = this.find(name, loaded)
        found.set(name, library)
        queue.push(library)
      }
    }
    // glibc loads its unwinder when a thread ends, without naming it in its headers.
    const unwinder = found.has('libc.so.6') ? this.firstFitting(this.fallbacks('libgcc_s.so.1')) : undefined
    const paths = [...found.values()].map(({ path }) => path)
    return [...new Set([this.interpreter, ...paths, ...(unwinder === undefined ? [] : [unwinder])])]
  }

  private find(name: string, loader: Loaded): Loaded {
    const candidates = name.includes('/') ? [name] : [...ownCandidates(name, loader), ...this.fallbacks(name)]
    const path = this.firstFitting(candidates)
    if (path !== undefined) return { path, elf: readElf(path)!, loader }
    throw new MinictrError(`The shared library ${name}, which ${loader.path} needs, is not on this host`, {
      remedy: `Install it. Looked for: ${[...new Set(candidates)].join(', ')}`,
    })
  }

  private firstFitting(candidates: string[]): string | undefined {
    return candidates.find(
      path => statSync(path, { throwIfNoEntry: false })?.isFile() && readElf(path)?.abi === this.abi,
    )
  }

  private fallbacks(name: string): string[] {
    return [...(this.cache.get(name) ?? []), ...this.directories.map(directory => join(directory, name))]
  }
}

/** RPATH counts for what the file's libraries need as well, RUNPATH for the file alone. */
function ownCandidates(name: string, loader: Loaded): string[] {
  const candidates: string[] = []
  if (loader.elf.runpath.length === 0) {
    for (let each: Loaded | undefined = loader; each; each = each.loader) {
      candidates.push(...each.elf.rpath.flatMap(directory => expand(directory, each.path)))
    }
  }
  candidates.push(...loader.elf.runpath.flatMap(directory => expand(directory, loader.path)))
  return candidates.map(directory => join(directory, name))
}

/** `$ORIGIN`, `$LIB` and `$PLATFORM` (ld.so(8), "Dynamic string tokens"). */
function expand(directory: string, path: string): string[] {
  const plain = directory
    .replaceAll(/\$ORIGIN\b|\$\{ORIGIN\}/g, dirname(path))
    .replaceAll(/\$PLATFORM\b|\$\{PLATFORM\}/g, PLATFORMS[process.arch] ?? process.arch)
  const token = /\$LIB\b|\$\{LIB\}/g
  if (!plain.match(token)) return [plain]
  return ['lib64', `lib/${TRIPLETS[process.arch]}`, 'lib'].map(name => plain.replaceAll(token, name))
}
