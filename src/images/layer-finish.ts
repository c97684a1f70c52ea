// The end of unpacking: whiteouts, devices, extended attributes, exact times, and directories as their entries say,
// now that nothing is put into them any more.

import { chmodSync, linkSync, lutimesSync, type PathLike, readdirSync } from 'node:fs'
import { MinictrError } from '../system/error.ts'
import type { Answer, Call } from '../system/executor.ts'
import { type Entry, showPath } from './entry.ts'
import type { Directory, Inode } from './layer-tree.ts'
import { isSpecial, type LayerWriter, toText } from './layer-writer.ts'

/** File type bits of a mode (inode(7)). */
const TYPE_BITS = { 'character-device': 0o020000, 'block-device': 0o060000, fifo: 0o010000 }
const BATCH = 1000

/** One op for the executor and the path it is about. */
type Act = { path: string; call: Call }

/**
 * Finishes the layer that `writer` has made in `directory`; returns its opaque directories. Throws MinictrError naming
 * the path that cannot be made.
 */
export async function finishLayer(writer: LayerWriter, directory: string): Promise<string[]> {
  const scope = directory
  const inodes = new Set<Inode>()
  const directories: [path: string, directory: Directory][] = []
  if (root(writer).isOpaque) hideAllBelow(writer)
  const nodes: Act[] = hidden(writer).map(path => mknod(scope, path, TYPE_BITS['character-device'], 0, 0))
  for (const [path, node] of writer.tree.nodes) {
    if (node.kind === 'directory') directories.push([path, node])
    else if (node.inode) inodes.add(node.inode)
  }
  for (const inode of inodes) if (isSpecial(inode.entry)) nodes.push(mknodFor(scope, inode))
  await perform(nodes)
  for (const inode of inodes) if (isSpecial(inode.entry)) settleSpecial(writer, inode)
  const last = [...inodes].flatMap(({ entry, paths }) => attributes(scope, [...paths][0]!, entry))
  for (const [path, made] of directories) {
    if (made.entry || path === '') settleDirectory(writer, path, made)
    if (made.isOpaque) last.push(setXattr(scope, path, 'trusted.overlay.opaque', Buffer.from('y')))
    if (made.entry) last.push(...attributes(scope, path, made.entry))
  }
  await perform(last)
  return directories.flatMap(([path, { isOpaque }]) => (isOpaque ? [toText(path)] : []))
}

function root({ tree }: LayerWriter): Directory {
  return tree.nodes.get('') as Directory
}

/** Overlay does not ask whether the root itself is opaque, so each name there is hidden by itself. */
function hideAllBelow(writer: LayerWriter): void {
  root(writer).isOpaque = false
  const below = writer.lower?.find('/')?.directories ?? []
  writer.dependsOnLower ||= below.length > 0
  for (const directory of below) {
    // Names are bytes here, one char each.
    for (const name of readdirSync(directory, { encoding: 'latin1' })) writer.whiteouts.add(name)
  }
}

/**
 * The whiteouts that become devices. They are about the layers below only: where this layer has the name itself, a file
 * hides what is below by being there, and a directory becomes opaque.
 */
function hidden({ tree, whiteouts }: LayerWriter): string[] {
  return [...whiteouts].filter(path => {
    const node = tree.nodes.get(path)
    if (node?.kind === 'directory') node.isOpaque = true
    const parent = tree.nodes.get(path.slice(0, Math.max(0, path.lastIndexOf('/'))))
    return node === undefined && parent?.kind === 'directory'
  })
}

/** A device or fifo has been made under its first name: its attributes, its time, its other names. */
function settleSpecial(writer: LayerWriter, { entry, paths }: Inode): void {
  const [path, ...others] = [...paths].map(each => writer.hostPath(each))
  writer.own([...paths][0]!, entry)
  chmodSync(path!, entry.mode)
  setTimes(path!, entry)
  for (const other of others) linkSync(path!, other)
}

function settleDirectory(writer: LayerWriter, path: string, { entry, madeWithMode }: Directory): void {
  const hostPath = writer.hostPath(path)
  if (entry) writer.own(path, entry)
  const mode = entry?.mode ?? 0o755
  if (mode !== madeWithMode) chmodSync(hostPath, mode)
  if (entry) setTimes(hostPath, entry)
}

function setTimes(hostPath: PathLike, { mtime }: Entry): void {
  if (mtime.seconds >= 0) lutimesSync(hostPath, mtime.seconds, mtime.seconds)
}

/** What Node cannot set: extended attributes, and times with nanoseconds or before 1970. */
function attributes(scope: string, path: string, { xattrs, mtime }: Entry): Act[] {
  const acts = [...(xattrs ?? [])].map(([name, value]) => setXattr(scope, path, name, value))
  if (mtime.nanoseconds !== 0 || mtime.seconds < 0) {
    acts.push({
      path,
      call: { name: 'utimens', args: [...place(scope, path), mtime.seconds, mtime.nanoseconds] },
    })
  }
  return acts
}

function mknodFor(scope: string, { entry, paths }: Inode): Act {
  const typeBits = TYPE_BITS[entry.type as keyof typeof TYPE_BITS]
  return mknod(scope, [...paths][0]!, typeBits | entry.mode, entry.major, entry.minor)
}

function mknod(scope: string, path: string, mode: number, major: number, minor: number): Act {
  return { path, call: { name: 'mknod', args: [...place(scope, path), mode, major, minor] } }
}

function setXattr(scope: string, path: string, name: string, value: Buffer): Act {
  // A file system without extended attributes loses those nobody runs by; capabilities and overlay's own it must have.
  const isNeeded = name === 'security.capability' || name.startsWith('trusted.overlay.')
  const args = [...place(scope, path), Buffer.from(name, 'latin1'), value]
  return { path, call: { name: 'lsetxattr', args, tolerate: isNeeded ? [] : ['EOPNOTSUPP'] } }
}

/** The directory a path is scoped to, and the path; the layer's root itself is named from outside. */
function place(scope: string, path: string): [scope: string, path: string | Buffer] {
  return path === '' ? ['', scope] : [scope, Buffer.from(path, 'latin1')]
}

async function perform(acts: Act[]): Promise<void> {
  if (acts.length === 0) return
  const { spawnExecutor } = await import('../system/executor.ts')
  const { executor, close } = spawnExecutor()
  try {
    for (let start = 0; start < acts.length; start += BATCH) {
      const batch = acts.slice(start, start + BATCH)
      const { answers } = await executor.perform(batch.map(({ call }) => call))
      if (!isComplete(batch, answers)) throw failure(batch, answers)
    }
  } finally {
    await close()
  }
}

/** The executor stops at the first error that is not tolerated. */
function isComplete(batch: Act[], answers: Answer[]): boolean {
  const errno = answers.at(-1)?.errno
  return (
    answers.length === batch.length && (errno === undefined || !!batch.at(-1)!.call.tolerate?.includes(errno))
  )
}

function failure(batch: Act[], answers: Answer[]): MinictrError {
  const last = answers.at(-1)
  const act = batch[Math.max(0, answers.length - 1)]!
  const [, , third] = act.call.args
  const what =
    third instanceof Uint8Array ? `${act.call.name} ${Buffer.from(third).toString()}` : act.call.name
  return new MinictrError(`entry ${showPath(act.path)}: ${what} failed with ${last?.errno ?? 'no answer'}`)
}
