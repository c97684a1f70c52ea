// Paths inside a directory tree that somebody hostile may be changing meanwhile.
//
// Node has no openat2(2). What it has is /proc/self/fd/N/NAME: one name looked up in an open directory. A path is walked
// name by name, each opened without following it (O_PATH, O_NOFOLLOW); links are read and walked here, from the tree's own
// root. So whatever is swapped for whatever, the walk stays inside the tree.

import { closeSync, constants, fstatSync, openSync, readlinkSync, type Stats } from 'node:fs'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'

/** A place where something is, or may be made: an open directory and a name in it; '' is the directory itself. */
export type Place = {
  /** The caller closes it. */
  directory: number
  name: string
  /** From the tree's root, links on the way followed: `usr/bin/sh`. */
  path: string
  /** Of the thing itself; undefined where there is nothing yet. */
  stats?: Stats
}

const O_PATH = 0o10000000
const LOOK = O_PATH | constants.O_NOFOLLOW
/** As many as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40

/** The way to a name in an open directory. Names are byte strings (one char, one byte). */
export function within(directory: number, name: string): Buffer {
  return Buffer.from(`/proc/self/fd/${directory}/${name === '' ? '.' : name}`, 'latin1')
}

/** Opens a directory of this host's as a place to walk from. */
export function openTree(path: string): number {
  return openSync(path, O_PATH | constants.O_DIRECTORY)
}

/**
 * Walks a path (a byte string) inside the tree whose root is open as `root`. Links on the way are followed; the last one
 * if `followsLast`. Undefined where something on the way is missing or is no directory. Throws MinictrError for a loop.
 */
export function walk(root: number, path: string, followsLast: boolean): Place | undefined {
  const trail: { fd: number; name: string }[] = [{ fd: openSync(within(root, ''), LOOK), name: '' }]
  try {
    return walkOn(trail, path.split('/'), followsLast)
  } finally {
    for (const { fd } of trail) closeSync(fd)
  }
}

/** `trail` are the directories walked through; the one that the result has is a copy of its own. */
function walkOn(
  trail: { fd: number; name: string }[],
  path: string[],
  followsLast: boolean,
): Place | undefined {
  let rest = path.filter(part => part !== '' && part !== '.')
  let links = 0
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '..') {
      if (trail.length > 1) closeSync(trail.pop()!.fd)
      continue
    }
    const directory = trail.at(-1)!.fd
    const isLast = rest.length === 0
    const fd = look(directory, part)
    if (fd === undefined) return isLast ? placeIn(trail, part) : undefined
    const stats = fstatSync(fd)
    if (stats.isDirectory()) {
      trail.push({ fd, name: part })
      continue
    }
    closeSync(fd)
    if (stats.isSymbolicLink() && (followsLast || !isLast)) {
      if (++links > MAX_LINKS)
        throw new MinictrError(`${path.join('/')} leads through too many symbolic links`)
      const target = readlinkSync(within(directory, part), 'latin1')
      if (target.startsWith('/')) for (const { fd } of trail.splice(1)) closeSync(fd)
      rest = [...target.split('/').filter(each => each !== '' && each !== '.'), ...rest]
      continue
    }
    return isLast ? { ...placeIn(trail, part), stats } : undefined
  }
  const last = trail.at(-1)!
  const stats = fstatSync(last.fd)
  if (trail.length === 1) return { ...placeIn(trail, ''), stats }
  return { ...placeIn(trail.slice(0, -1), last.name), stats }
}

function placeIn(trail: { fd: number; name: string }[], name: string): Place {
  const directory = openSync(within(trail.at(-1)!.fd, ''), LOOK)
  const names = [...trail.slice(1).map(each => each.name), ...(name === '' ? [] : [name])]
  return { directory, name, path: names.join('/') }
}

function look(directory: number, name: string): number | undefined {
  try {
    return openSync(within(directory, name), LOOK)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
