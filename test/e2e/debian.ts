// Containers of a real Debian, as a user of the command line has them: started, asked from inside, gone afterwards.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  minictr,
  type Outcome,
  type RunOptions as ProcessOptions,
  type Running,
  startMinictr,
} from '../fixtures/command-line.ts'
import { type DebianStore, debianStore } from '../fixtures/debian-store.ts'
import { textOf } from '../fixtures/victims.ts'

/** The store of this test file and what is done with it; usable inside tests. */
export type Debian = {
  store(): DebianStore
  /** A new empty directory of the host, gone with the store. */
  directory(): string
  /** `minictr ARGS` with the store's global options. */
  minictr(...args: string[]): Promise<Outcome>
  /** `minictr run --rm FLAGS debian COMMAND` to its end. */
  run(flags: string[], command: string[], options?: ProcessOptions): Promise<Outcome>
  /** The same, not awaited. */
  start(flags: string[], command: string[], options?: ProcessOptions): Running
  /** Without --rm, not awaited. */
  startKept(flags: string[], command: string[], options?: ProcessOptions): Running
  /** What a shell script prints inside, without the last newline. Fails where it does not succeed. */
  inside(script: string, ...flags: string[]): Promise<string>
  /** Removes what containers there are; for after a test, which has removed its own unless it failed. */
  removeContainers(): Promise<void>
}

/** Pulls Debian into a store before the tests of this file; removes it after them, when nothing of it may be in use. */
export function useDebian(): Debian {
  let store: DebianStore | undefined
  before(async () => {
    store = await debianStore()
  })
  after(async () => {
    if (!store) return
    try {
      await assertNothingLeft(store)
    } finally {
      // What a failed test has left is not to be in the way of the other files.
      await debian.removeContainers()
      store.remove()
    }
  })
  const ready = () => store ?? assert.fail('the store is there only while tests run')
  const runArgs = (flags: string[], command: string[]) => [
    ...ready().globals,
    ...withoutBridge('run', '--quiet', ...flags, ready().image, ...command),
  ]
  const start = (flags: string[], command: string[], options?: ProcessOptions) =>
    startMinictr(runArgs(flags, command), options)
  const debian: Debian = {
    store: ready,
    directory: () => mkdtempSync(join(ready().root, '../shared-')),
    minictr: (...args) => minictr([...ready().globals, ...withoutBridge(...args)]),
    run: (flags, command, options) => start(['--rm', ...flags], command, options).outcome,
    start: (flags, command, options) => start(['--rm', ...flags], command, options),
    startKept: start,
    async inside(script, ...flags) {
      const { status, stdout, stderr } = await debian.run(flags, ['sh', '-c', script])
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
      return stdout.replace(/\n$/, '')
    },
    async removeContainers() {
      const ids = namesIn(join(ready().root, 'containers'))
      if (ids.length > 0) await debian.minictr('rm', '--force', ...ids)
    },
  }
  return debian
}

/**
 * The words of a command with `--network none` behind the `run` or `create` among them that asks for no network: a bridge would
 * stay on this host. Tests of networks have hosts of their own (networked.ts).
 */
export function withoutBridge(...words: string[]): string[] {
  const at = words.findIndex(word => word === 'run' || word === 'create')
  const isNetwork =
    words[0] === 'network' || words[0] === 'volume' || words.some(word => /^--net(work)?(=|$)/.test(word))
  if (at < 0 || isNetwork) return words
  return [...words.slice(0, at + 1), '--network', 'none', ...words.slice(at + 1)]
}

/** No container, mount, cgroup or process of this store is there; what ends by itself is given the time for it. */
export async function assertNothingLeft({ root, runRoot }: DebianStore): Promise<void> {
  for (let attempt = 0; attempt < 100 && usersOf(root).length > 0; attempt++) await sleep(100)
  const left = usersOf(root).map(pid => `${pid} ${textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`)
  assert.deepEqual(left, [], 'processes that see the store')
  assert.deepEqual(namesIn(join(root, 'containers')), [])
  assert.deepEqual(namesIn(join(root, 'names')), [])
  assert.deepEqual(idsIn(runRoot), [])
  assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(root), 'a mount of the store is left')
}

/** The processes that see the store: those of its containers, and the commands that were given it. */
export function usersOf(root: string): number[] {
  return namesIn('/proc')
    .filter(pid => /^\d+$/.test(pid) && Number(pid) !== process.pid && uses(pid, root))
    .map(Number)
}

function uses(pid: string, root: string): boolean {
  return (
    textOf(`/proc/${pid}/mountinfo`).includes(`${root}/`) || textOf(`/proc/${pid}/cmdline`).includes(root)
  )
}

/** The names in a directory; none where it is not there. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/** The containers that have something in a run root; beside them lie the events. */
export function idsIn(runRoot: string): string[] {
  return namesIn(runRoot).filter(name => /^[0-9a-f]{64}$/.test(name))
}
