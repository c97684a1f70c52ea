// A stack of layers read as one file system, as overlay would show it, without mounting it: topmost wins, whiteouts and
// opaque directories hide, and symbolic links lead to places inside the image only.

import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { MinictrError } from '../system/error.ts'

const MAX_LINKS = 40

/** An unpacked layer; `opaque` lists its opaque directories, since Node cannot read extended attributes. */
export type Layer = { path: string; opaque?: readonly string[] }

export type Found = {
  /** The file on this host; its last part is not a link that was followed unless `find` was asked to. */
  hostPath: string
  /** Where it is in the image, `/etc/passwd`. */
  path: string
  stats: Stats
  /** Of a directory: those of the layers that together make it, topmost first. */
  directories?: string[]
}

/** The directories that together make one directory of the image, topmost first, and its path without a leading slash. */
type Merged = { path: string; parts: { layer: Layer; hostPath: string }[] }

/** Layers read as the one file system they make. */
export class LayerStack {
  private readonly root: Merged

  /** `layers` bottom first, as an image lists them. */
  constructor(layers: readonly Layer[]) {
    this.root = { path: '', parts: layers.map(layer => ({ layer, hostPath: layer.path })).reverse() }
  }

  /**
   * Looks up a path of the image; undefined where there is nothing. `follow` decides about a link at its end (links on the
   * way are always followed). Throws MinictrError for a loop of links.
   */
  find(path: string, follow = true): Found | undefined {
    let rest = path.split('/')
    let trail: Merged[] = [this.root]
    let links = 0
    for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
      if (part === '' || part === '.') continue
      if (part === '..') {
        if (trail.length > 1) trail.pop()
        continue
      }
      const next = lookUp(trail.at(-1)!, part)
      if (next === undefined) return undefined
      const isLast = rest.every(each => each === '' || each === '.')
      if (next.found.stats.isSymbolicLink() && (follow || !isLast)) {
        if (++links > MAX_LINKS)
          throw new MinictrError(`${path} leads through too many symbolic links in the image`)
        const target = readlinkSync(next.found.hostPath)
        if (target.startsWith('/')) trail = [this.root]
        rest = [...target.split('/'), ...rest]
      } else if (next.directory) trail.push(next.directory)
      else return isLast ? next.found : undefined
    }
    const directory = trail.at(-1)!
    const hostPath = directory.parts[0]?.hostPath
    if (hostPath === undefined) return undefined
    const directories = directory.parts.map(part => part.hostPath)
    return { hostPath, path: `/${directory.path}`, stats: lstatSync(hostPath), directories }
  }
}

function lookUp(directory: Merged, name: string): { found: Found; directory?: Merged } | undefined {
  const path = directory.path === '' ? name : `${directory.path}/${name}`
  let found: Found | undefined
  const parts: Merged['parts'] = []
  for (const { layer, hostPath: parent } of directory.parts) {
    const hostPath = `${parent}/${name}`
    const stats = lstatSync(hostPath, { throwIfNoEntry: false })
    if (stats === undefined) continue
    if (isWhiteout(stats)) break
    if (!stats.isDirectory()) {
      // Under a directory of an upper layer a file below is hidden, and so is what is below that.
      if (found === undefined) return { found: { hostPath, path: `/${path}`, stats } }
      break
    }
    found ??= { hostPath, path: `/${path}`, stats }
    parts.push({ layer, hostPath })
    if (layer.opaque?.includes(path)) break
  }
  return found && { found, directory: { path, parts } }
}

/** Overlay's sign that a name is gone: a character device 0/0 (kernel documentation, overlayfs, "whiteouts"). */
function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0
}
