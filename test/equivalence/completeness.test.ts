// The plan is all there is: under strace, a run makes exactly the calls its plan holds, in their order, and no others.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Op } from '../../src/runtime/op.ts'
import { opTable, syscallsOf } from '../../src/runtime/ops.ts'
import { minictr } from '../fixtures/command-line.ts'
import { type DebianStore, debianStore } from '../fixtures/debian-store.ts'
import { type Call, callsIn, expectedOf, isReached, isTelling, lineOf, markOf, telling } from './traced.ts'

const main = join(import.meta.dirname, '../../src/main.ts')
const alike = /[0-9a-f]{64}/g
/** Nothing of the plan may be chosen anew for each run, but the id. */
const named = ['--rm', '--name', 'traced', '--hostname', 'box']
let store: DebianStore

before(async () => {
  store = await debianStore()
})
after(() => store?.remove())

/** The ops of the plan that this kernel can perform, in order; a container's id is the same word in all of them. */
async function plannedOps(flags: string[]): Promise<Op[]> {
  const args = ['explain', 'run', '--json', ...named, ...flags, store.image, 'true']
  const { status, stdout, stderr } = await minictr([...store.globals, ...args])
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
  const run = [process.execPath, main, ...store.globals, 'run', ...named, ...flags, store.image, 'true']
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
  const { status, stderr } = spawnSync('strace', [...strace, ...run], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const calls = callsIn(readFileSync(output, 'utf8').replaceAll(alike, 'ID'))
  rmSync(output)
  const helper = calls.findIndex(({ name, args }) => name === 'execve' && args.includes('minictr-helper'))
  const program = calls.findLastIndex(({ name, args }) => name === 'execve' && args.includes('["true"]'))
  assert.ok(helper > 0 && program > helper, 'the helper starts, and in the end the program')
  const before = calls.slice(0, helper).filter(isTelling)
  const client = calls[helper]!.pid
  return [...before, ...calls.slice(helper, program + 1).filter(({ pid }) => Number(pid) >= Number(client))]
}

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
  {
    title: 'a user namespace',
    flags: ['--network', 'none', '--userns-remap', 'auto', '--cgroupns', 'private'],
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
      const actual = tracedCalls(flags, false).filter(isTelling).map(lineOf)
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

function shown(call: Call | undefined): string {
  return call === undefined ? 'the end' : `${call.name}(${call.args.slice(0, 100)})`
}
