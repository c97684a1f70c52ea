// How much a directory holds.

import { type Dirent, lstatSync, readdirSync } from 'node:fs'
import { errnoOf } from './errno.ts'

/** The bytes of all files below a directory; one with several names counts once. What goes meanwhile does not count. */
export function sizeOfTree(directory: string): number {
  const seen = new Set<string>()
  const pending = [directory]
  let sizeBytes = 0
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    for (const entry of entriesOf(place)) {
      const path = `${place}/${entry.name}`
      if (entry.isDirectory()) pending.push(path)
      else if (entry.isFile()) {
        const status = lstatSync(path, { throwIfNoEntry: false })
        if (status === undefined || (status.nlink > 1 && seen.has(`${status.dev}:${status.ino}`))) continue
        seen.add(`${status.dev}:${status.ino}`)
        sizeBytes += status.size
      }
    }
  }
  return sizeBytes
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
