// The plan is all there is: under strace, a run makes exactly the calls its plan holds, in their order, and no others.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Op } from '../../src/runtime/op.ts'
import { opTable, syscallsOf } from '../../src/runtime/ops.ts'
import { executable, minictr } from '../fixtures/command-line.ts'
import { type DebianStore, debianStore } from '../fixtures/debian-store.ts'
import { Machine } from '../networks/laboratory.ts'
import { type Call, callsIn, expectedOf, isReached, isTelling, lineOf, markOf, telling } from './traced.ts'

const alike = /[0-9a-f]{64}/g
/** Nothing of the plan may be chosen anew for each run, but the id. */
const named = ['--rm', '--name', 'traced', '--hostname', 'box']
let store: DebianStore
/** The host of these tests: a network namespace in which a bridge may stay. */
let host: Machine

/** A mount of the host's with peers, for what is to stay tied to it. */
const tied = mkdtempSync(join(tmpdir(), 'minictr-tied-'))

before(async () => {
  execFileSync('mount', ['-t', 'tmpfs', 'tied', tied])
  execFileSync('mount', ['--make-shared', tied])
  ;[store, host] = await Promise.all([debianStore(), Machine.start()])
})
after(async () => {
  await host?.stop()
  execFileSync('umount', [tied])
  rmdirSync(tied)
  store?.remove()
})

/** The ops of the plan that this kernel can perform, in order; a container's id is the same word in all of them. */
async function plannedOps(flags: string[]): Promise<Op[]> {
  const args = ['explain', 'run', '--json', ...named, ...flags, store.image, 'true']
  const { status, stdout, stderr } = await minictr([...store.globals, ...args], { within: host.entrance })
  assert.equal(status, 0, stderr)
  const { steps } = JSON.parse(stdout.replaceAll(alike, 'ID')) as { steps: { ops: { op: Op }[] }[] }
  return steps.flatMap(({ ops }) => ops.map(({ op }) => op)).filter(isReached)
}

/** The calls of a run up to the program's start: those of the native helper, and whatever telling ones there are. */
function tracedCalls(flags: string[], withEveryOp: boolean): Call[] {
  const output = join(store.root, 'strace.txt')
  const everyOp = Object.values(opTable).flatMap(row => row.syscalls)
  // strace(1) passes over names that this processor does not have where they begin with a question mark.
  const names = [...new Set([...telling, 'execve', ...(withEveryOp ? everyOp : [])])].map(name => `?${name}`)
  const run = [executable, ...store.globals, 'run', ...named, ...flags, store.image, 'true']
  const strace = [
    '-f',
    '-qq',
    '-s',
    '4096',
    '-e',
    `trace=${names.join(',')}`,
    '-e',
    'signal=none',
    '-o',
    output,
  ]
  const [enter, ...words] = [...host.entrance, 'strace', ...strace, ...run]
  const { status, stderr } = spawnSync(enter!, words, { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const calls = callsIn(readFileSync(output, 'utf8').replaceAll(alike, 'ID'))
  rmSync(output)
  const helper = calls.findIndex(({ name, args }) => name === 'execve' && args.includes('minictr-helper'))
  const program = calls.findLastIndex(({ name, args }) => name === 'execve' && args.includes('["true"]'))
  assert.ok(helper > 0 && program > helper, 'the helper starts, and in the end the program')
  const before = calls.slice(0, helper).filter(isTelling)
  const first = Number(calls[helper]!.pid)
  const isLater = ({ pid }: Call) => (Number(pid) - first + pidsMax) % pidsMax < pidsMax / 2
  return [...before, ...calls.slice(helper, program + 1).filter(isLater)]
}

/** PIDs begin again at the lowest when the highest has been given. */
const pidsMax = Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8'))

const flagSets: { title: string; flags: string[] }[] = [
  { title: 'the defaults', flags: ['--network', 'none'] },
  {
    title: 'a user, names, limits and a read-only root',
    flags: [
      ...[
        '--network',
        'none',
        '--user',
        '33:33',
        '--group-add',
        '44',
        '--cap-drop',
        'ALL',
        '--cap-add',
        'CHOWN',
      ],
      ...['--domainname', 'example', '--read-only', '--tmpfs', '/tmp', '-v', '/usr:/mnt:ro'],
      ...[
        '-m',
        '64m',
        '--ulimit',
        'nofile=100',
        '--oom-score-adj',
        '100',
        '--security-opt',
        'no-new-privileges',
      ],
    ],
  },
  { title: 'the default network, which is made for it', flags: [] },
  { title: 'a network that is there, and ports', flags: ['-p', '8080:80', '-p', '8080:80/udp'] },
  {
    title: 'a user namespace',
    flags: ['--network', 'none', '--userns-remap', 'auto', '--cgroupns', 'private'],
  },
  {
    title: 'mounts that stay tied to the host’s',
    flags: [
      ...['--network', 'none', '-v', `${tied}:/shared:rshared`, '-v', `${tied}:/slave:slave,ro`],
      ...['--mount', `type=bind,src=${tied},dst=/one,bind-propagation=shared,bind-nonrecursive`],
    ],
  },
  {
    title: 'a shared memory that others may join',
    flags: ['--network', 'none', '--ipc', 'shareable', '--shm-size', '1m'],
  },
  {
    title: 'privileges and the host’s network',
    flags: ['--network', 'host', '--privileged'],
  },
]

describe('a run under strace', () => {
  for (const { title, flags } of flagSets) {
    it(`makes the plan's calls on mounts, namespaces, credentials and the root, and no others: ${title}`, async () => {
      const expected = (await plannedOps(flags)).flatMap(expectedOf)
      const actual = ofItself(tracedCalls(flags, false)).filter(isTelling).map(lineOf)
      assert.ok(expected.length > 20)
      assert.deepEqual(actual, expected)
    })

    it(`shows a call of every op of the plan, in order: ${title}`, async () => {
      const calls = tracedCalls(flags, true)
      let at = 0
      for (const op of await plannedOps(flags)) {
        const names = syscallsOf(op)
        const mark = markOf(op)
        const found = calls.findIndex(
          ({ name, args }, index) => index >= at && names.includes(name) && args.includes(mark),
        )
        assert.ok(
          found >= 0,
          `no ${names.join(' or ')} for ${JSON.stringify(op).slice(0, 200)} after ${shown(calls[at])}`,
        )
        at = found + 1
      }
    })
  }
})

/** Without those of other programs that an op starts: nft(8), and the process that holds ports. */
function ofItself(calls: Call[]): Call[] {
  const begun = new Map<string, number>()
  for (const [index, { pid, name, args }] of calls.entries()) {
    if (name === 'execve' && /^"[^"]*\/nft"|"proxy"/.test(args)) begun.set(pid, index)
  }
  return calls.filter(({ pid }, index) => index < (begun.get(pid) ?? Number.POSITIVE_INFINITY))
}

function shown(call: Call | undefined): string {
  return call === undefined ? 'the end' : `${call.name}(${call.args.slice(0, 100)})`
}
