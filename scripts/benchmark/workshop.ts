// What every benchmark works with: a new file system on the project's disk, a registry on loopback, minictr, the peers.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRegistry } from '../../test/fixtures/registry.ts'
import type { Command } from './measure.ts'
import { type Engine, installedPeers, type Peer } from './peers.ts'

const project = join(import.meta.dirname, '../..')

export type Workshop = {
  /** `127.0.0.1:PORT` */
  registry: string
  peers: Peer[]
  /** A path that was never used before. */
  freshDirectory(name: string): string
  startEngine(peer: Peer, entrance?: string[]): Promise<Engine>
  minictr(root: string, ...args: string[]): Command
}

/** Calls `work` with a workshop, and takes it apart afterwards, whatever happened. */
export async function withWorkshop<T>(work: (workshop: Workshop) => Promise<T>): Promise<T> {
  const { directory, remove } = makeFileSystem()
  process.env.TMPDIR = directory
  const cgroupsBefore = peerCgroups()
  const registry = await startRegistry()
  // As /run is on most machines: what dies with the machine is kept in memory.
  const runtimeDirectory = mkdtempSync('/run/minictr-bench-')
  execFileSync('mount', ['-t', 'tmpfs', 'minictr-bench', runtimeDirectory])
  const running = new Set<Engine>()
  let count = 0
  const freshDirectory = (name: string) => join(directory, `${name}-${count++}`)
  try {
    return await work({
      registry: registry.host,
      peers: installedPeers(),
      freshDirectory,
      startEngine: async (peer, entrance) => {
        const name = freshDirectory(peer.name)
        const engine = await peer.start(name, join(runtimeDirectory, basename(name)), entrance)
        running.add(engine)
        const stop = async () => {
          if (running.delete(engine)) await engine.stop()
        }
        return { ...engine, stop }
      },
      minictr: (root, ...args) => ({
        argv: [
          join(project, 'dist/minictr'),
          ...['--root', root, '--run-root', join(runtimeDirectory, basename(root)), ...args],
        ],
      }),
    })
  } finally {
    for (const engine of running) await engine.stop()
    await registry.stop()
    for (const cgroup of peerCgroups().filter(each => !cgroupsBefore.includes(each))) {
      execFileSync('find', [cgroup, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'])
    }
    await unmount(runtimeDirectory)
    rmdirSync(runtimeDirectory)
    await remove()
  }
}

/**
 * An empty ext4 in a file of the project's disk (not in /tmp, which may be memory), mounted. On a used one, making files
 * soon after a large removal is several times slower, for whom it hits.
 */
function makeFileSystem(): { directory: string; remove(): Promise<void> } {
  mkdirSync(join(project, '.cache'), { recursive: true })
  const directory = mkdtempSync(join(project, '.cache/bench-'))
  const image = `${directory}.ext4`
  execFileSync('truncate', ['--size', '24G', image])
  // All of its tables now, and not in the background while something is timed.
  execFileSync('mkfs.ext4', ['-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image])
  execFileSync('mount', ['-o', 'loop', image, directory])
  return {
    directory,
    remove: async () => {
      // podman leaves a mount of its store now and then.
      await unmount('--recursive', directory)
      rmdirSync(directory)
      rmSync(image)
    },
  }
}

/** A command has ended before its monitor has, which keeps its files until the kernel has taken back a long log. */
async function unmount(...args: string[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { status, stderr } = spawnSync('umount', args, { encoding: 'utf8' })
    if (status === 0) return
    if (attempt === 100) throw new Error(stderr)
    await sleep(100)
  }
}

/** The parent cgroups that docker and podman make for their containers, and leave behind. */
function peerCgroups(): string[] {
  const names = ['-name', 'docker', '-o', '-name', 'libpod_parent']
  const found = execFileSync('find', ['/sys/fs/cgroup', '-maxdepth', '2', '-type', 'd', '(', ...names, ')'])
  return found.toString().split('\n').filter(Boolean)
}
