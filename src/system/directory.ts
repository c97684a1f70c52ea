// Making directories, with the kernel's own word where that is refused.

import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from './errno.ts'

/**
 * As `mkdir -p`; `mode` is that of every directory that is made. Throws the error of node:fs. Its own way of doing so (`recursive`)
 * says ENOENT of a file system that is read-only.
 */
export function makeDirectories(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, mode)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' && statSync(path).isDirectory()) return
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error
    makeDirectories(dirname(path), mode)
    makeDirectories(path, mode)
  }
}
