// One plan of an exec, two ways, and nothing else: its script starts the same process, and strace sees exactly its calls.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Op } from '../../src/runtime/op.ts'
import { executable, minictr, type Running, startMinictr } from '../fixtures/command-line.ts'
import { type DebianStore, debianStore } from '../fixtures/debian-store.ts'
import { probe, sectionsOf, withoutInherited } from './inside.ts'
import { callsIn, expectedOf, isTelling, lineOf, telling } from './traced.ts'

let store: DebianStore
const containers: { name: string; running: Running }[] = []

before(async () => {
  store = await debianStore()
})
after(async () => {
  for (const { name, running } of containers) {
    await minictr([...store.globals, 'rm', '--force', name])
    await running.outcome
  }
  store?.remove()
})

async function start(name: string, flags: string[]): Promise<void> {
  const network = flags.includes('--network') ? [] : ['--network', 'none']
  const run = ['run', '--rm', '--name', name, ...network, ...flags, store.image]
  const running = startMinictr([...store.globals, ...run, 'sh', '-c', 'echo ready; exec sleep 1000'])
  containers.push({ name, running })
  for (let tries = 0; tries < 500 && !running.output().includes('ready'); tries++) {
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  if (!running.output().includes('ready')) assert.fail(`${name} does not start`)
}

const kinds: { title: string; run: string[]; exec: string[] }[] = [
  { title: 'the defaults', run: [], exec: [] },
  {
    title: 'a user, a place and variables',
    run: ['--cap-drop', 'ALL', '--cap-add', 'CHOWN'],
    exec: ['-u', 'www-data:games', '-w', '/var/tmp', '-e', "GREETING=it's a\nnew day"],
  },
  {
    title: 'limits, a score, no new privileges and a read-only root',
    run: [
      '--ulimit',
      'nofile=100:200',
      '--oom-score-adj',
      '300',
      '--security-opt',
      'no-new-privileges',
      '--read-only',
    ],
    exec: [],
  },
  { title: 'all capabilities', run: [], exec: ['--privileged'] },
  { title: 'the host’s process numbers and network', run: ['--pid', 'host', '--network', 'host'], exec: [] },
  { title: 'a user namespace', run: ['--userns-remap', 'auto', '--cgroupns', 'private'], exec: [] },
]

for (const [index, { title, run, exec }] of kinds.entries()) {
  describe(`an exec into a container with ${title}`, () => {
    const name = `kind${index}`
    before(() => start(name, run))

    it('is, as a script, the same process from inside', async () => {
      const words = ['exec', ...exec, name, 'sh', '-c', probe]
      const real = await minictr([...store.globals, ...words])
      assert.equal(real.status, 0, real.stderr)
      const { status, stdout: text, stderr } = await minictr([...store.globals, 'script', ...words])
      assert.equal(status, 0, stderr)
      const file = join(store.root, 'exec.sh')
      writeFileSync(file, text)
      const scripted = spawnSync('bash', ['-c', withoutInherited, 'bash', 'sh', file], {
        encoding: 'utf8',
        input: '',
      })
      assert.equal(scripted.status, 0, scripted.stderr)
      const expected = sectionsOf(real.stdout)
      const actual = sectionsOf(scripted.stdout)
      const canLoad = spawnSync('setpriv', ['--help'], { encoding: 'utf8' }).stdout.includes(
        '--seccomp-filter',
      )
      const isFiltered = expected.seccomp === 'Seccomp:\t2\n'
      assert.equal(/No seccomp filter/.test(scripted.stderr), isFiltered && !canLoad, scripted.stderr)
      if (!canLoad) expected.seccomp = actual.seccomp!
      assert.ok(Object.keys(expected).length >= 18)
      for (const [section, seen] of Object.entries(expected)) assert.equal(actual[section], seen, section)
    })

    it('makes the calls of its plan on namespaces, credentials and power, and no others', async () => {
      const words = ['exec', ...exec, name, 'true']
      const explained = await minictr([...store.globals, 'explain', 'exec', '--json', ...words.slice(1)])
      assert.equal(explained.status, 0, explained.stderr)
      const { steps } = JSON.parse(explained.stdout) as { steps: { ops: { op: Op }[] }[] }
      const ops = steps.flatMap(step => step.ops.map(({ op }) => op))
      assert.deepEqual(tracedLines(words), ops.flatMap(expectedOf))
    })
  })
}

/** The telling calls from the helper's start to the program's. */
function tracedLines(words: string[]): string[] {
  const output = join(store.root, 'strace.txt')
  const names = [...telling, 'execve'].map(name => `?${name}`).join(',')
  const strace = ['-f', '-qq', '-s', '4096', '-e', `trace=${names}`, '-e', 'signal=none', '-o', output]
  const command = [executable, ...store.globals, ...words]
  const { status, stderr } = spawnSync('strace', [...strace, ...command], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const calls = callsIn(readFileSync(output, 'utf8'))
  rmSync(output)
  const helper = calls.findIndex(({ name, args }) => name === 'execve' && args.includes('minictr-helper'))
  const program = calls.findLastIndex(({ name, args }) => name === 'execve' && args.includes('["true"]'))
  assert.ok(helper > 0 && program > helper)
  return calls.slice(helper, program).filter(isTelling).map(lineOf)
}

describe('the script of an exec', () => {
  before(() => start('scripted', []))

  async function runScript(...words: string[]) {
    const { status, stdout, stderr } = await minictr([...store.globals, 'script', 'exec', ...words])
    assert.equal(status, 0, stderr)
    return { text: stdout, ...spawnSync('sh', [], { input: stdout, encoding: 'utf8' }) }
  }

  it('ends with the status of the program', async () => {
    assert.equal((await runScript('scripted', 'sh', '-c', 'exit 7')).status, 7)
    assert.equal((await runScript('scripted', 'no-such-program')).status, 127)
    assert.equal((await runScript('scripted', '/etc/passwd')).status, 126)
  })

  it('enters no other process that has the number by now', async () => {
    const { text } = await runScript('scripted', 'true')
    const stale = text.replace(/-f 20\)" = \d+ \]/, '-f 20)" = 1 ]')
    assert.notEqual(stale, text)
    const { status, stderr } = spawnSync('sh', [], { input: stale, encoding: 'utf8' })
    assert.equal(status, 1)
    assert.match(stderr, /is another process by now/)
  })
})
