// SIGKILL at any moment, to any process of minictr's: what is told next is true, and a recovery leaves what was there before.
//
// Which command, who is killed and when is drawn by lot, always the same one; MINICTR_KILL_SEED and MINICTR_KILL_ROUNDS
// draw others and more.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { listContainers } from '../../src/containers/lookup.ts'
import { containerPaths } from '../../src/containers/state.ts'
import { Journal } from '../../src/runtime/journal.ts'
import { hostFacts } from '../../src/system/host-facts.ts'
import { isRunning } from '../../src/system/process-identity.ts'
import { idsIn } from '../e2e/debian.ts'
import type { Running } from '../fixtures/command-line.ts'
import { useSmallStore } from '../fixtures/small-store.ts'
import { family, killIfThere, processesWith, textOf } from '../fixtures/victims.ts'

const store = useSmallStore()
const seed = Number(process.env.MINICTR_KILL_SEED ?? 7)
const rounds = Number(process.env.MINICTR_KILL_ROUNDS ?? 20)

/** Numbers from 0 to below 1, the same ones for the same seed (mulberry32). */
function lots(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const made = ['--name', 'victim', '--network', 'none', '-m', '64m']
const program = ['sh', '-c', 'echo it runs; sleep 0.2']
const scenes: { title: string; prepare: string[][]; command: string[] }[] = [
  { title: 'run --rm', prepare: [], command: ['run', '--rm', ...made, 'tools', ...program] },
  { title: 'run', prepare: [], command: ['run', ...made, 'tools', ...program] },
  { title: 'run -d', prepare: [], command: ['run', '-d', ...made, 'tools', 'sleep', '1000'] },
  { title: 'run -d --rm', prepare: [], command: ['run', '-d', '--rm', ...made, 'tools', 'true'] },
  { title: 'create', prepare: [], command: ['create', ...made, 'tools', ...program] },
  {
    title: 'start',
    prepare: [['create', ...made, 'tools', 'sleep', '1000']],
    command: ['start', 'victim'],
  },
  {
    title: 'stop',
    prepare: [['run', '-d', ...made, 'tools', 'sleep', '1000']],
    command: ['stop', '-t', '0', 'victim'],
  },
  {
    title: 'restart',
    prepare: [['run', '-d', ...made, 'tools', 'sleep', '1000']],
    command: ['restart', '-t', '0', 'victim'],
  },
  { title: 'rm', prepare: [['create', ...made, 'tools', 'true']], command: ['rm', 'victim'] },
  {
    title: 'rm -f',
    prepare: [['run', '-d', ...made, 'tools', 'sleep', '1000']],
    command: ['rm', '-f', 'victim'],
  },
]

const whoms = ['the command', 'its helper', 'the container', 'the monitor', 'what ends it', 'all'] as const
type Whom = (typeof whoms)[number]

function victims(whom: Whom, { child }: Running): number[] {
  const own = family(child.pid!)
  const ending = () => processesWith(args => args.includes('__end') && args.includes(store.root))
  switch (whom) {
    case 'the command':
      return own.slice(0, 1)
    case 'its helper':
      return own.filter(pid => textOf(`/proc/${pid}/cmdline`).split('\0')[1] === 'monitor')
    case 'the container':
      return containerProcesses()
    case 'the monitor':
      return monitors()
    case 'what ends it':
      return ending().flatMap(family)
    case 'all':
      return [...own, ...ending().flatMap(family), ...monitors(), ...containerProcesses()]
  }
}

function monitors(): number[] {
  return idsIn(store.runRoot).flatMap(id => {
    const owner = new Journal(containerPaths(store, id).runDirectory).owner()
    return owner && isRunning(owner) ? [owner.pid] : []
  })
}

/** Those in the cgroups of containers. */
function containerProcesses(): number[] {
  return idsIn(store.runRoot).flatMap(processesOf)
}

function processesOf(id: string): number[] {
  const directories = hostFacts().cgroups.map(({ mountPoint }) => join(mountPoint, 'minictr', id))
  const listed = directories.flatMap(path => textOf(join(path, 'cgroup.procs')).split('\n'))
  return [...new Set(listed)]
    .filter(pid => pid !== '' && !/\) [ZX] /.test(textOf(`/proc/${pid}/stat`)))
    .map(Number)
}

/** What `ps -a` says of a container is so, unless that changed meanwhile. */
async function assertTruth(): Promise<void> {
  const runs = () => new Map(listContainers(store).map(({ id }) => [id, processesOf(id).length > 0]))
  const before = runs()
  const { status, stdout, stderr } = await store.minictr('ps', '-a', '--no-trunc')
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  const after = runs()
  const rows = stdout.trimEnd().split('\n').slice(1)
  for (const row of rows) {
    const id = row.split(' ')[0]!
    if (before.get(id) === true && after.get(id) === true) assert.match(row, / Up /)
    if (before.get(id) === false && after.get(id) === false) assert.match(row, / (Exited|Created) /)
  }
  for (const id of after.keys()) if (before.has(id)) assert.ok(stdout.includes(id), `${id} is not told of`)
  // No status is made up: it is that of the program, or of who killed it.
  assert.doesNotMatch(stdout, /Exited \((?!0\)|137\)|unknown\))/)
}

describe(`kill -9, ${rounds} times, seed ${seed}`, () => {
  const lot = lots(seed)
  const choose = <T>(from: readonly T[]): T => from[Math.floor(lot() * from.length)]!
  for (let round = 0; round < rounds; round++) {
    const { title, prepare, command } = scenes[round % scenes.length]!
    const whom = choose(whoms)
    // A command needs this long to be about anything.
    const delayMs = 100 + Math.floor(lot() * 400)
    it(`${round + 1}: ${title}, ${delayMs} ms, to ${whom}`, async () => {
      for (const args of prepare) await store.succeed(...args)
      const running = store.start(command)
      await sleep(delayMs)
      for (const pid of victims(whom, running)) killIfThere(pid)
      await running.outcome
      await assertTruth()
      assert.equal(await store.succeed('system', 'recover'), '')
      await assertTruth()
      // What is there can be used, and removed; what is not has left nothing behind, be it only the name.
      if (listContainers(store).length > 0) await store.succeed('start', 'victim')
      else await store.succeed('create', ...made, 'tools', 'true')
      await store.succeed('rm', '-f', 'victim')
      assert.equal(existsSync(join(store.root, 'names/victim')), false)
    })
  }
})
