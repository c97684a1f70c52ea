// What a layer has made so far, in memory: where an entry may go is decided here and never by the file system, so that
// no name, link or `..` of a tar leads out of the layer's directory.

import { MinictrError } from '../system/error.ts'
import { type Entry, showPath } from './entry.ts'

/** As many as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40

/** What Node alone cannot finish: a device, extended attributes, nanoseconds. Done at the end, if a name is left then. */
export type Inode = { entry: Entry; paths: Set<string> }

export type Directory = {
  kind: 'directory'
  /** The last entry for it; none for a parent that no entry names. */
  entry?: Entry
  /** The permission bits it has until the end. */
  madeWithMode: number
  isOpaque: boolean
  /** Paths of what is in it. */
  children?: Set<string>
}

export type Node =
  | Directory
  | { kind: 'symbolic-link'; target: string; inode?: Inode }
  | { kind: 'file'; inode?: Inode }

/** The files a layer has made so far. Paths here are byte strings without `.`, `..` and links, relative to the layer; the layer itself is ''. */
export class LayerTree {
  readonly nodes = new Map<string, Node>([['', { kind: 'directory', madeWithMode: -1, isOpaque: false }]])
  private readonly makeDirectory: (path: string) => Directory
  private lastParent: { name: string; path: string } | undefined

  /** `makeDirectory` makes a parent that no entry has made. */
  constructor(makeDirectory: (path: string) => Directory) {
    this.makeDirectory = makeDirectory
  }

  /** Where the entry of that (normalised) name goes: its parent's links are followed inside the layer. Throws MinictrError. */
  place(name: string): string {
    const slash = name.lastIndexOf('/')
    if (slash < 0) return name
    const parent = name.slice(0, slash)
    if (this.lastParent?.name !== parent) {
      const isPlain = this.nodes.get(parent)?.kind === 'directory'
      this.lastParent = { name: parent, path: isPlain ? parent : this.walk(parent, true)! }
    }
    return join(this.lastParent!.path, name.slice(slash + 1))
  }

  /** The path of something the layer has made already, its last part not followed; undefined where there is nothing. */
  find(name: string): string | undefined {
    const slash = name.lastIndexOf('/')
    const parent = slash < 0 ? '' : this.walk(name.slice(0, slash), false)
    if (parent === undefined) return undefined
    const path = join(parent, name.slice(slash + 1))
    return this.nodes.has(path) ? path : undefined
  }

  /** Takes note of a file that has been made; the directory it is in is known already. */
  set(path: string, node: Node): void {
    this.nodes.set(path, node)
    const parent = this.parentOf(path)
    if (parent === undefined) return
    parent.children ??= new Set()
    parent.children.add(path)
  }

  /** Forgets a path and all that is below it. */
  remove(path: string): void {
    this.lastParent = undefined
    this.parentOf(path)?.children?.delete(path)
    const doomed = [path]
    for (let each = doomed.pop(); each !== undefined; each = doomed.pop()) {
      const node = this.nodes.get(each)
      this.nodes.delete(each)
      if (node?.kind !== 'directory') node?.inode?.paths.delete(each)
      else for (const child of node.children ?? []) doomed.push(child)
    }
  }

  private parentOf(path: string): Directory | undefined {
    const node = this.nodes.get(path.slice(0, Math.max(0, path.lastIndexOf('/'))))
    return node?.kind === 'directory' ? node : undefined
  }

  private walk(name: string, isMaking: boolean): string | undefined {
    let rest = name.split('/')
    let current = ''
    let links = 0
    for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
      if (part === '' || part === '.') continue
      if (part === '..') {
        // As in a chroot: above the root is the root.
        current = current.slice(0, Math.max(0, current.lastIndexOf('/')))
        continue
      }
      const next = join(current, part)
      const node = this.nodes.get(next)
      if (node?.kind === 'symbolic-link') {
        if (++links > MAX_LINKS)
          throw new MinictrError(`${showPath(name)} leads through too many symbolic links`)
        if (node.target.startsWith('/')) current = ''
        rest = [...node.target.split('/'), ...rest]
        continue
      }
      if (node?.kind === 'file')
        throw new MinictrError(`${showPath(next)} is a file, so nothing can be in it`)
      if (node === undefined) {
        if (!isMaking) return undefined
        this.set(next, this.makeDirectory(next))
      }
      current = next
    }
    return current
  }
}

/**
 * An entry's name without `/` at its ends, `.` and `..`; '' is the layer itself. Absolute names count from the layer's
 * root, as everywhere. Throws MinictrError for a name that leads out of the layer, absolute or not; where Docker's chroot
 * takes it to mean the root, it is refused here, as no honest tool writes it.
 */
export function normalise(name: string): string {
  const start = name.startsWith('./') ? 2 : 0
  const plain = name.slice(start, name.endsWith('/') ? -1 : undefined)
  if (!/^\.{0,2}(?:\/|$)|\/\.{0,2}(?:\/|$)|\0/.test(plain)) return plain
  const parts: string[] = []
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) throw new MinictrError('its name leads out of the layer')
  }
  const path = parts.join('/')
  if (path.includes('\0')) throw new MinictrError('its name holds a NUL byte')
  return path
}

/** The path of something in a directory of the layer. */
export function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}
