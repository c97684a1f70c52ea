// One plan of an act on a container, two ways: what stop, kill, rm and the others do, their scripts do as well.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freezerOf } from '../../src/runtime/freezer.ts'
import { hostFacts } from '../../src/system/host-facts.ts'
import { identify } from '../../src/system/process-identity.ts'
import { minictr } from '../fixtures/command-line.ts'
import { type DebianStore, debianStore } from '../fixtures/debian-store.ts'

let store: DebianStore

before(async () => {
  store = await debianStore()
})
afterEach(async () => {
  const { stdout } = await call('ps', '-aq')
  if (stdout !== '') await call('rm', '-f', '-v', ...stdout.trim().split('\n'))
})
after(() => store?.remove())

const call = (...args: string[]) => minictr([...store.globals, ...args])

const obedient =
  'trap "echo asked; exit 3" TERM; trap "echo hung up" HUP; echo ready; while :; do sleep 0.05; done'

/** A container that runs, with something of everything that its end has to undo. */
async function running(name: string, script: string = obedient): Promise<string> {
  const flags = ['--name', name, '--network', 'none', '--ipc', 'shareable', '-m', '64m', '-v', '/data']
  const run = ['run', '-d', ...flags, store.image, 'sh', '-c', script]
  const { status, stdout, stderr } = await call(...run)
  assert.equal(status, 0, stderr)
  await hasSaid(name, 'ready')
  return stdout.trim()
}

async function hasSaid(name: string, line: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if ((await call('logs', name)).stdout.split('\n').includes(line)) return
    await sleep(20)
  }
  assert.fail(`${name} does not say ${line}`)
}

/** Performs a command: by minictr, or by a shell from the script that minictr writes. */
type Performer = (...words: string[]) => Promise<void>

const byMinictr: Performer = async (...words) => {
  const { status, stderr } = await call(...words)
  assert.equal(status, 0, stderr)
}

const byScript =
  (shell: string): Performer =>
  async (...words) => {
    const { status, stdout, stderr } = await call('script', ...words)
    assert.equal(status, 0, stderr)
    const scripted = spawnSync(shell, [], { input: stdout, encoding: 'utf8' })
    assert.deepEqual({ status: scripted.status, stderr: scripted.stderr }, { status: 0, stderr: '' })
  }

/** What there is of the container afterwards: on the disk, in the run root, in the cgroups, in the mounts, and how it ended. */
function traces(id: string) {
  const directory = join(store.root, 'containers', id)
  const read = (name: string) =>
    existsSync(join(directory, name)) ? JSON.parse(readFileSync(join(directory, name), 'utf8')) : undefined
  const { finishedAtMs: _, ...exit } = read('exit.json') ?? {}
  const hierarchies = readdirSync('/sys/fs/cgroup')
  return {
    files: existsSync(directory) ? readdirSync(directory).sort() : [],
    exit,
    resources: read('config.json')?.linux.resources.memory,
    name: read('container.json')?.name,
    names: readdirSync(join(store.root, 'names')),
    volumes: readdirSync(join(store.root, 'volumes')).length,
    run: existsSync(join(store.runRoot, id)) ? readdirSync(join(store.runRoot, id)).sort() : [],
    cgroups: hierarchies.filter(name => existsSync(`/sys/fs/cgroup/${name}/minictr/${id}`)),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8').includes(id),
  }
}

const acts: { words: string[]; first?: string[]; script?: string }[] = [
  { words: ['stop', 'box'] },
  { words: ['stop', '-t', '1', 'box'], script: 'echo ready; exec sleep 1000' },
  { words: ['stop', 'box'], first: ['pause', 'box'] },
  {
    words: ['stop', '-s', '37', '-t', '5', 'box'],
    script: 'exec bash -c "trap \\"exit 9\\" RTMIN+3; echo ready; while :; do sleep 0.05; done"',
  },
  { words: ['kill', 'box'] },
  { words: ['rm', 'box'], first: ['kill', 'box'] },
  { words: ['rm', '-v', 'box'], first: ['kill', 'box'] },
  { words: ['rm', '-f', '-v', 'box'] },
  { words: ['rm', '-f', 'box'], first: ['pause', 'box'] },
  { words: ['rename', 'box', 'other'] },
  { words: ['update', '-m', '128m', '--memory-swap', '256m', 'box'] },
]

describe('an act by its script leaves the same as by minictr', () => {
  for (const { words, first, script } of acts) {
    it(`${words.join(' ')}${first ? `, after ${first[0]}` : ''}`, async () => {
      const outcomes = []
      for (const performer of [byMinictr, byScript('sh'), byScript('bash')]) {
        const id = await running('box', script)
        if (first) await byMinictr(...first)
        await performer(...words)
        outcomes.push(traces(id))
        await call('rm', '-f', '-v', id)
        for (const name of readdirSync(join(store.root, 'volumes'))) await call('volume', 'rm', name)
      }
      assert.deepEqual(outcomes[1], outcomes[0])
      assert.deepEqual(outcomes[2], outcomes[0])
    })
  }
})

describe('the script', () => {
  it('of stop has the program end as it wants to, and the container can be started again', async () => {
    const id = await running('box')
    await byScript('sh')('stop', 'box')
    assert.match((await call('logs', 'box')).stdout, /^ready\nasked\n$/)
    assert.match((await call('ps', '-a')).stdout, /Exited \(3\) .*box\n/)
    assert.deepEqual(traces(id).cgroups, [])
    assert.equal((await call('start', 'box')).status, 0)
    assert.match((await call('ps')).stdout, / Up .*box\n/)
  })

  it('of stop touches no other process that has the number by now, and undoes nothing then', async () => {
    const id = await running('box')
    const { stdout } = await call('script', 'stop', 'box')
    const stale = stdout.replace(/-f 20\)" = \d+ \]/, '-f 20)" = 1 ]')
    assert.notEqual(stale, stdout)
    const { status, stderr } = spawnSync('sh', [], { input: stale, encoding: 'utf8' })
    assert.equal(status, 1)
    assert.match(stderr, /^PID \d+ is another process by now, or none\n$/)
    assert.match((await call('ps')).stdout, / Up .*box\n/)
    assert.ok(traces(id).cgroups.length > 0)
  })

  it('of stop waits for whoever has the container', async () => {
    const id = await running('box')
    const { stdout } = await call('script', 'stop', 'box')
    const lock = join(store.root, 'containers', id, 'lock')
    const busy = stdout.replace('flock -w 10 9', 'flock -w 0 9')
    const { status } = spawnSync('flock', [lock, 'sh', '-c', busy], { encoding: 'utf8' })
    assert.notEqual(status, 0)
    assert.ok(traces(id).cgroups.length > 0, 'nothing was undone without the lock')
    assert.match((await call('ps', '-a')).stdout, /Exited \(3\) .*box\n/, 'the next command does it')
    assert.deepEqual(traces(id).cgroups, [])
  })

  it('of kill with another signal sends that one', async () => {
    await running('box')
    await byScript('sh')('kill', '-s', 'HUP', 'box')
    await hasSaid('box', 'hung up')
    assert.match((await call('ps')).stdout, / Up .*box\n/)
  })

  it('of pause and unpause freezes and thaws', async () => {
    const id = await running('box')
    const { statePath, frozenLine, thawedLine } = freezerOf(`/minictr/${id}`, hostFacts())
    const lines = () => readFileSync(statePath, 'utf8').split('\n')
    await byScript('sh')('pause', 'box')
    assert.ok(lines().includes(frozenLine))
    await byScript('sh')('unpause', 'box')
    assert.ok(lines().includes(thawedLine))
  })

  it('of create makes a container that minictr starts', async () => {
    const flags = [
      '--name',
      'box',
      '--network',
      'none',
      '--hostname',
      'made',
      '-v',
      '/data',
      '-e',
      "GREETING=it's\na day",
    ]
    await byScript('sh')('create', ...flags, store.image, 'sh', '-c', 'hostname; echo "$GREETING"; exit 4')
    assert.match((await call('ps', '-a')).stdout, /Created .*box\n/)
    const { status, stdout } = await call('start', '-a', 'box')
    assert.deepEqual({ status, stdout }, { status: 4, stdout: "made\nit's\na day\n" })
  })

  it('of create undoes what it made where a command fails', async () => {
    const { stdout } = await call(
      'script',
      'create',
      '--name',
      'box',
      '--network',
      'none',
      store.image,
      'true',
    )
    const broken = stdout.replace(/^chmod 0600 \$DIR\/container\.json$/m, 'false')
    assert.notEqual(broken, stdout)
    assert.notEqual(spawnSync('sh', [], { input: broken }).status, 0)
    assert.deepEqual(readdirSync(join(store.root, 'containers')), [])
    assert.deepEqual(readdirSync(join(store.root, 'names')), [])
  })

  it('of start starts the program of the container, and ends with its status', async () => {
    const words = ['--name', 'box', '--network', 'none', '--hostname', 'made', store.image]
    await byMinictr('create', ...words, 'sh', '-c', 'hostname; cat /proc/1/comm; exit 4')
    const { stdout } = await call('script', 'start', 'box')
    const scripted = spawnSync('sh', [], { input: stdout, encoding: 'utf8' })
    assert.deepEqual([scripted.status, scripted.stdout], [4, 'made\nsh\n'])
    const started = await call('start', '-a', 'box')
    assert.deepEqual([started.status, started.stdout], [4, 'made\nsh\n'])
  })

  it('of restart ends the program and starts it in front of us', async () => {
    const script = '[ -e /again ] && { echo again; exit 6; }; touch /again; echo ready; exec sleep 1000'
    const id = await running('box', script)
    const { pid } = JSON.parse(readFileSync(join(store.runRoot, id, 'state.json'), 'utf8'))
    const { stdout } = await call('script', 'restart', '-t', '0', 'box')
    const { status, stdout: said } = spawnSync('sh', [], { input: stdout, encoding: 'utf8' })
    assert.deepEqual({ status, said }, { status: 6, said: 'again\n' })
    assert.equal(identify(pid), undefined)
    assert.deepEqual(traces(id).cgroups, [])
  })
})
