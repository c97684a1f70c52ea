// Copying between a container and this host, by Docker's table of what becomes of which source at which destination.

import { closeSync, lstatSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { decompress } from '../images/decompress.ts'
import { TarReader } from '../images/tar.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import { type ContainerTree, openContainerTree } from './container-tree.ts'
import { containerOwner, hostOwner } from './id-mapping.ts'
import { pack } from './packing.ts'
import { openTree, type Place, walk, within } from './rooted.ts'
import type { Container, Roots } from './state.ts'
import { TreeWriter, type Writing } from './tree-writer.ts'

export type CopyOptions = {
  /** Keep the owners' numbers. */
  archive: boolean
  /** Copy what a link at the source's end leads to. */
  followLink: boolean
}

/** The bytes of files that were copied, and where to. */
export type Copied = { sizeBytes: number; to: string }

/**
 * What a source becomes: under which name (`.`: its content alone), in which directory. `exists` is what is at the
 * destination, whose last link has been followed.
 */
export type Target = { directory: string; name: string }

/**
 * Docker's table. Paths are as typed; a trailing slash or `/.` says that a directory is meant. Throws MinictrError.
 * Source: docs.docker.com, `docker container cp`, "Corner cases" and the table before it.
 */
export function targetOf(
  source: { path: string; isDirectory: boolean },
  destination: string,
  existing: 'file' | 'directory' | undefined,
): Target {
  const isAsserted = /(?:^|\/)\.?$/.test(destination)
  const contentOnly = /(?:^|\/)\.$/.test(source.path)
  const plain = destination.replace(/\/(?:\.?\/*)*$/, '') || '/'
  if (existing === 'directory') {
    if (source.isDirectory && contentOnly) return { directory: plain, name: '.' }
    return { directory: plain, name: nameOf(source.path) }
  }
  if (existing === 'file') {
    if (source.isDirectory) throw new MinictrError('cannot copy directory')
    if (isAsserted) throw new MinictrError('not a directory')
  } else if (!source.isDirectory && isAsserted) throw new MinictrError('no such directory')
  return { directory: dirname(plain), name: basename(plain) }
}

/** The last part of a path, `.` for the root. */
function nameOf(path: string): string {
  return basename(path.replace(/\/\.?$/, '')) || '.'
}

/** Copies a file or directory of a container to a path of this host. Throws MinictrError in Docker's words. */
export async function copyFromContainer(
  roots: Roots,
  container: Container,
  source: string,
  destination: string,
  options: CopyOptions,
): Promise<Copied> {
  const tree = await openContainerTree(roots, container)
  try {
    const place = findSource(tree, container, source, options)
    try {
      const local = resolve(destination) + (/(?:^|\/)\.?$/.test(destination) ? '/' : '')
      const existing = kindOf(statHost(local))
      const path = existing === 'file' ? behindLinks(local) : local
      const target = targetOf({ path: source, isDirectory: place.stats.isDirectory() }, path, existing)
      const root = openHostDirectory(target.directory)
      try {
        const writing: Writing = {
          root,
          base: '',
          ownerOf: (uid, gid) =>
            options.archive ? containerOwner(uid, gid, container.spec.linux) : undefined,
          executor: tree.executor,
        }
        const packing = { executor: tree.executor, ownerOf: (uid: number, gid: number) => ({ uid, gid }) }
        const bytes = pack(packing, within(place.directory, place.name), bytesOf(target.name))
        return { sizeBytes: await unpack(bytes, writing), to: local }
      } finally {
        closeSync(root)
      }
    } finally {
      closeSync(place.directory)
    }
  } finally {
    await tree.close()
  }
}

/** Gives a file or directory of a container as a tar, with the container's own ids. Throws MinictrError. */
export async function archiveFromContainer(
  roots: Roots,
  container: Container,
  source: string,
  options: CopyOptions,
  write: (bytes: Buffer) => Promise<void>,
): Promise<void> {
  const tree = await openContainerTree(roots, container)
  try {
    const place = findSource(tree, container, source, options)
    try {
      const ownerOf = (uid: number, gid: number) => containerOwner(uid, gid, container.spec.linux)
      const name = /(?:^|\/)\.$/.test(source) ? '.' : nameOf(source)
      const bytes = pack(
        { executor: tree.executor, ownerOf },
        within(place.directory, place.name),
        bytesOf(name),
      )
      for await (const each of bytes) await write(each)
    } finally {
      closeSync(place.directory)
    }
  } finally {
    await tree.close()
  }
}

/** Copies a file or directory of this host into a container. Throws MinictrError in Docker's words. */
export async function copyToContainer(
  roots: Roots,
  container: Container,
  source: string,
  destination: string,
  options: CopyOptions,
): Promise<Copied> {
  const local = findLocal(source, options)
  refuseReadOnly(container)
  const tree = await openContainerTree(roots, container)
  const parent = openTree(local.directory)
  try {
    const { existing, path } = findDestination(tree, container, destination)
    const named = /(?:^|\/)\.\.\/?$/.test(source) ? local.name : source
    const target = targetOf({ path: named, isDirectory: local.stats.isDirectory() }, path, existing)
    const base = findBase(tree, container, target.directory, destination)
    const packing = { executor: tree.executor, ownerOf: (uid: number, gid: number) => ({ uid, gid }) }
    const bytes = pack(packing, within(parent, bytesOf(local.name)), bytesOf(target.name))
    const writing = writingTo(tree, container, base, options)
    return { sizeBytes: await unpack(bytes, writing), to: destination }
  } finally {
    closeSync(parent)
    await tree.close()
  }
}

/** Unpacks a tar, which may be compressed with gzip or zstd, into a directory of a container. Throws MinictrError in Docker's words. */
export async function extractToContainer(
  roots: Roots,
  container: Container,
  archive: AsyncIterable<Buffer>,
  destination: string,
  options: CopyOptions,
): Promise<void> {
  refuseReadOnly(container)
  const tree = await openContainerTree(roots, container)
  try {
    const { existing, path } = findDestination(tree, container, destination)
    if (existing === 'file')
      throw new MinictrError(`destination "${container.name}:${destination}" must be a directory`)
    const base = findBase(tree, container, path, destination)
    await unpack(decompress(archive, 'tar'), writingTo(tree, container, base, options))
  } finally {
    await tree.close()
  }
}

async function unpack(archive: AsyncIterable<Buffer>, writing: Writing): Promise<number> {
  const writer = new TreeWriter(writing)
  const reader = new TarReader(writer)
  try {
    for await (const bytes of archive) reader.push(bytes)
    reader.end()
    await writer.finish()
    return writer.sizeBytes
  } finally {
    writer.close()
  }
}

function writingTo(
  { root, executor }: ContainerTree,
  { spec }: Container,
  base: string,
  { archive }: CopyOptions,
): Writing {
  const ownerOf = (uid: number, gid: number) =>
    archive ? hostOwner(uid, gid, spec.linux) : hostOwner(0, 0, spec.linux)
  return { root, base, ownerOf, executor }
}

function findSource(
  { root }: ContainerTree,
  { name }: Container,
  source: string,
  { followLink }: CopyOptions,
): Place & { stats: Stats } {
  const isAsserted = /(?:^|\/)\.?$/.test(source)
  const place = walk(root, bytesOf(source), followLink || isAsserted)
  if (place?.stats && (!isAsserted || place.stats.isDirectory())) return { ...place, stats: place.stats }
  if (place) closeSync(place.directory)
  if (place?.stats) throw new MinictrError('not a directory')
  throw notFound(source, name)
}

/** What is at the destination in the container, its last link followed; the path then is where it leads to. */
function findDestination(
  { root }: ContainerTree,
  { name }: Container,
  destination: string,
): { existing: 'file' | 'directory' | undefined; path: string } {
  const place = walk(root, bytesOf(destination), true)
  if (!place) throw notFound(destination, name)
  closeSync(place.directory)
  const slash = /(?:^|\/)\.?$/.test(destination) ? '/' : ''
  const path = `/${Buffer.from(place.path, 'latin1').toString()}`
  return { existing: kindOf(place.stats), path: path === '/' ? path : path + slash }
}

/** The directory of the container that an archive is unpacked in, as a byte string. */
function findBase({ root }: ContainerTree, { name }: Container, path: string, asked: string): string {
  const place = walk(root, bytesOf(path), true)
  if (place) closeSync(place.directory)
  if (!place?.stats?.isDirectory()) throw notFound(asked, name)
  return place.path
}

function findLocal(
  source: string,
  { followLink }: CopyOptions,
): { directory: string; name: string; stats: Stats } {
  const isAsserted = /(?:^|\/)\.?$/.test(source)
  try {
    const path = followLink || isAsserted ? realpathSync(source) : resolve(source)
    const stats = lstatSync(path)
    if (isAsserted && !stats.isDirectory()) throw new MinictrError(`${source}: not a directory`)
    return { directory: dirname(path), name: basename(path), stats }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error
    throw new MinictrError(`lstat ${source}: no such file or directory`)
  }
}

function openHostDirectory(path: string): number {
  try {
    return openTree(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error
    throw new MinictrError(`invalid output path: directory "${path}" does not exist`)
  }
}

function statHost(path: string): Stats | undefined {
  try {
    return statSync(path.replace(/(?<=.)\/$/, ''), { throwIfNoEntry: false })
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

/** Where the links at a path of this host lead to: what is copied there is written through them, as into a container. */
function behindLinks(path: string): string {
  const slash = path.endsWith('/') ? '/' : ''
  return realpathSync(path.replace(/\/$/, '')) + slash
}

function kindOf(stats: Stats | undefined): 'file' | 'directory' | undefined {
  return stats && (stats.isDirectory() ? 'directory' : 'file')
}

function refuseReadOnly({ spec }: Container): void {
  if (spec.root.readonly) throw new MinictrError('container rootfs is marked read-only')
}

function notFound(path: string, container: string): MinictrError {
  return new MinictrError(`Could not find the file ${path} in container ${container}`)
}

function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1')
}
