// The volumes there are: <root>/volumes/NAME with volume.json and the content in _data. Names that begin with a dot are
// volumes being made or removed.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import type { Op } from '../runtime/op.ts'
import { performOps } from '../runtime/perform-ops.ts'
import { volumeOps } from '../runtime/steps/volumes.ts'
import { errnoOf } from '../system/errno.ts'
import { withLock } from '../system/lock.ts'
import { randomBytes } from '../system/random.ts'
import { isVolumeName, type Volume, volumeText } from './volume.ts'

const REMOVED = '.removed-'
const UNUSED = '.unused-'

/** The volumes of one root. */
export class VolumeStore {
  readonly directory: string

  constructor(root: string) {
    this.directory = `${root}/volumes`
  }

  directoryOf(name: string): string {
    return `${this.directory}/${name}`
  }

  /** Where the content lies. */
  dataOf(name: string): string {
    return `${this.directory}/${name}/_data`
  }

  /** Where it lies while its only container goes and somebody looks whether another one has it by now. */
  unusedOf(name: string): string {
    return `${this.directory}/${UNUSED}${name}`
  }

  /** The volume of this name, if there is one. */
  read(name: string): Volume | undefined {
    if (!isVolumeName(name)) return undefined
    const directory = statSync(this.directoryOf(name), { throwIfNoEntry: false })
    if (!directory?.isDirectory()) return undefined
    const unknown: Volume = {
      name,
      driver: 'local',
      options: {},
      labels: {},
      createdAt: directory.birthtime.toISOString(),
      isAnonymous: false,
    }
    return { ...unknown, ...this.#record(name), name }
  }

  /** A record that is missing or damaged takes nothing from the volume but what it says. */
  #record(name: string): Partial<Volume> {
    try {
      return JSON.parse(readFileSync(`${this.directoryOf(name)}/volume.json`, 'utf8'))
    } catch (error) {
      if (error instanceof SyntaxError || errnoOf(error) === 'ENOENT') return {}
      throw error
    }
  }

  /** All of them, by name; numbers in names count as numbers. */
  list(): Volume[] {
    return namesIn(this.directory)
      .flatMap(name => this.read(name) ?? [])
      .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
  }

  /** Whether there is nothing in it, and no copy into it that was cut short when it was whole. */
  isEmpty(name: string): boolean {
    return namesIn(this.dataOf(name)).length === 0 || existsSync(`${this.directoryOf(name)}/copied`)
  }

  /** Makes the volume; where one of its name is there already, that one stays. Throws MinictrError. */
  async create(volume: Volume): Promise<void> {
    const aside = `${this.directory}/.new-${randomBytes(8).toString('hex')}`
    const directory = this.directoryOf(volume.name)
    await performOps([
      ...volumeOps({ directory, aside, record: volumeText(volume) }),
      { op: 'remove_tree', path: aside, tolerate: ['ENOENT'] },
    ])
  }

  /**
   * Removes volumes with all that is in them, and what a removal that was cut short has left; returns the names of those that went.
   * `used` is asked when nobody finds them any more: a container that begins says which it uses, and then looks for them. Throws
   * MinictrError.
   */
  async remove(names: string[], used: () => Pick<ReadonlySet<string>, 'has'>): Promise<string[]> {
    return await withLock(`${this.directory}/.lock`, async () => {
      const there = namesIn(this.directory)
      const left = there.filter(name => name.startsWith(REMOVED))
      const gone = names.map(name => {
        const aside = `${this.directory}/${REMOVED}${randomBytes(8).toString('hex')}`
        return { name, directory: this.directoryOf(name), aside }
      })
      await performOps(
        gone.map(({ directory, aside }) => ({
          op: 'rename',
          path: directory,
          to: aside,
          tolerate: ['ENOENT'],
        })),
      )
      const stay = used()
      const setAside = [...gone, ...this.#unusedIn(there)]
      const kept = setAside.filter(({ name }) => stay.has(name))
      await performOps(
        kept.map(({ directory, aside }) => ({
          op: 'rename',
          path: aside,
          to: directory,
          tolerate: ['ENOENT', 'ENOTEMPTY', 'EEXIST'],
        })),
      )
      // That container may have missed it already, and made another one of its name: then the old one has gone before.
      const missed = kept.filter(({ aside }) => existsSync(aside)).map(({ name }) => name)
      const asides = [...left.map(name => `${this.directory}/${name}`), ...setAside.map(({ aside }) => aside)]
      await performOps(asides.map((path): Op => ({ op: 'remove_tree', path, tolerate: ['ENOENT'] })))
      return names.filter(name => missed.includes(name) || !kept.some(each => each.name === name))
    })
  }

  #unusedIn(there: string[]): { name: string; directory: string; aside: string }[] {
    const names = there.filter(name => name.startsWith(UNUSED)).map(name => name.slice(UNUSED.length))
    return names.map(name => ({ name, directory: this.directoryOf(name), aside: this.unusedOf(name) }))
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return []
    throw error
  }
}
