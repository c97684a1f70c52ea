// What every benchmark works with: a directory on a real disk, a registry on loopback, minictr, the peers.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startRegistry } from '../../test/fixtures/registry.ts'
import type { Command } from './measure.ts'
import { type Engine, installedPeers, type Peer } from './peers.ts'

const project = join(import.meta.dirname, '../..')

export type Workshop = {
  /** `127.0.0.1:PORT` */
  registry: string
  peers: Peer[]
  /** A directory on the project's disk that was never used before. */
  freshDirectory(name: string): string
  startEngine(peer: Peer): Promise<Engine>
  minictr(root: string, ...args: string[]): Command
}

/** Calls `work` with a workshop, and takes it apart afterwards, whatever happened. */
export async function withWorkshop<T>(work: (workshop: Workshop) => Promise<T>): Promise<T> {
  // Not in /tmp, which may be memory.
  mkdirSync(join(project, '.cache'), { recursive: true })
  const directory = mkdtempSync(join(project, '.cache/bench-'))
  process.env.TMPDIR = directory
  const cgroupsBefore = peerCgroups()
  const registry = await startRegistry()
  const running = new Set<Engine>()
  let count = 0
  const freshDirectory = (name: string) => join(directory, `${name}-${count++}`)
  try {
    return await work({
      registry: registry.host,
      peers: installedPeers(),
      freshDirectory,
      startEngine: async peer => {
        const engine = await peer.start(freshDirectory(peer.name))
        running.add(engine)
        const stop = async () => {
          if (running.delete(engine)) await engine.stop()
        }
        return { ...engine, stop }
      },
      minictr: (root, ...args) => ({
        argv: [join(project, 'dist/minictr'), '--root', root, '--run-root', `${root}-run`, ...args],
      }),
    })
  } finally {
    for (const engine of running) await engine.stop()
    await registry.stop()
    for (const cgroup of peerCgroups().filter(each => !cgroupsBefore.includes(each))) {
      execFileSync('find', [cgroup, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'])
    }
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The parent cgroups that docker and podman make for their containers, and leave behind. */
function peerCgroups(): string[] {
  const names = ['-name', 'docker', '-o', '-name', 'libpod_parent']
  const found = execFileSync('find', ['/sys/fs/cgroup', '-maxdepth', '2', '-type', 'd', '(', ...names, ')'])
  return found.toString().split('\n').filter(Boolean)
}
