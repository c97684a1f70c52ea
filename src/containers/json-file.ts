// The files of JSON that a container's state is made of, read and written so that nobody ever sees half of one.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { at, errnoOf } from '../system/errno.ts'

/**
 * Writes JSON beside the file and renames it: a reader sees the old one or the new one. For whoever has the container's lock.
 * Throws the error of node:fs, with the path in its message.
 */
export function replaceFile(path: string, content: object): void {
  const aside = `${path}.tmp`
  try {
    writeFileSync(aside, JSON.stringify(content), { mode: 0o600 })
    renameSync(aside, path)
  } catch (error) {
    rmSync(aside, { force: true })
    throw at(path, error)
  }
}

/** Does what can be left undone on a disk that is full, or read-only by now. Returns why it was not done, if it was not. */
export function ifWritable(act: () => void): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return (error as Error).message
  }
}

/** The same as `readJson`, for a file that is mostly not there: an error is the dearest way to learn that. */
export function readIfThere<T>(path: string): T | undefined {
  return existsSync(path) ? readJson<T>(path) : undefined
}

/** A file of JSON; undefined where it is missing or not whole. */
export function readJson<T>(path: string): T | undefined {
  const text = readText(path)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}

/** A file's text; undefined where it is missing, or went while it was read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH' || errnoOf(error) === 'ENOTDIR')
      return undefined
    throw error
  }
}
