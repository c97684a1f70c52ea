// What is read of this host while a container's configuration is made; nothing is changed.

import { lstatSync, readdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs'
import type { FileStatus } from '../runtime/devices.ts'
import { errnoOf } from '../system/errno.ts'

/** Reading, as one thing, so that a test can hold a host of its own. */
export type HostFiles = {
  hostname(): string
  /** The text of a file; undefined where there is none. */
  readText(path: string): string | undefined
  /** What a path leads to; undefined where there is nothing. */
  kindOf(path: string): 'file' | 'directory' | undefined
  /** What stat(2) says of a path, links followed; undefined where there is nothing. */
  statusOf(path: string): FileStatus | undefined
  /** A path without links; undefined where there is nothing. */
  realPath(path: string): string | undefined
  /** Names in a directory, none where it cannot be read. */
  namesIn(directory: string): { name: string; kind: 'directory' | 'device' | 'other' }[]
}

/** This host. */
export const thisHost: HostFiles = {
  hostname: () => readFileSync('/proc/sys/kernel/hostname', 'utf8').trimEnd(),
  readText: path => unlessMissing(() => readFileSync(path, 'utf8')),
  kindOf: path => {
    const stats = unlessMissing(() => statSync(path))
    return stats && (stats.isDirectory() ? 'directory' : 'file')
  },
  statusOf: path => {
    const stats = unlessMissing(() => statSync(path))
    return stats && { mode: stats.mode, device: stats.rdev, uid: stats.uid, gid: stats.gid }
  },
  realPath: path => unlessMissing(() => realpathSync(path)),
  namesIn: directory =>
    (unlessMissing(() => readdirSync(directory)) ?? []).sort().flatMap(name => {
      const stats = unlessMissing(() => lstatSync(`${directory}/${name}`))
      return stats ? [{ name, kind: kindOfEntry(stats) }] : []
    }),
}

function kindOfEntry(stats: Stats): 'directory' | 'device' | 'other' {
  if (stats.isDirectory()) return 'directory'
  return stats.isBlockDevice() || stats.isCharacterDevice() ? 'device' : 'other'
}

function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'EACCES') return undefined
    throw error
  }
}
