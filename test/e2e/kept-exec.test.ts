// An exec like one before it: performed by the helper alone, and in everything the same as Node's own.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { executable, type Outcome, startMinictr } from '../fixtures/command-line.ts'
import { killIfThere, processesWith } from '../fixtures/victims.ts'
import { useDebian } from './debian.ts'
import { needsNode, type Options, withoutNode } from './without-node.ts'

const debian = useDebian()

/** An exec where there is no Node. */
function execWithoutNode(words: string[], options: Options = {}): Outcome {
  return withoutNode(debian.store(), ['exec', ...words], options)
}

async function container(name: string, ...flags: string[]): Promise<void> {
  const command = [debian.store().image, 'sleep', '1000']
  const { status, stderr } = await debian.minictr('run', '--detach', '--name', name, ...flags, ...command)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
}

async function inside(...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await debian.minictr('exec', ...words)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  return stdout
}

async function idOf(name: string): Promise<string> {
  return (await debian.minictr('inspect', '--format', '{{.Id}}', name)).stdout.trim()
}

/** All that tells one process from another, but for its number and its parent. */
const look = [
  'grep -E "^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|Umask|Sig)" /proc/self/status | grep -v ^SigQ',
  'for n in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$n; done',
  'cat /proc/self/cgroup /proc/self/limits /proc/self/oom_score_adj; pwd; umask; env; ls -l /proc/self/fd | sed "s/.*:.. //; s/[0-9]*[0-9][0-9]/N/g"',
  'echo $0 "$@"',
].join('\n')

describe('an exec like one before', () => {
  before(async () => {
    await container('box', '--workdir', '/tmp', '--env', 'COLOUR=blue', '--ulimit', 'nofile=500:600')
  })
  after(async () => {
    await debian.minictr('rm', '--force', 'box')
  })

  it('needs no Node', async () => {
    assert.deepEqual(execWithoutNode(['box', 'true']), needsNode)
    await inside('box', 'true')
    assert.deepEqual(execWithoutNode(['box', 'echo', 'it', 'is  so']), {
      status: 0,
      stdout: 'it is  so\n',
      stderr: '',
    })
    assert.equal(execWithoutNode([await idOf('box'), 'true']).status, 0)
  })

  it('makes the same process', async () => {
    const words = ['box', 'sh', '-c', look, 'name', 'one', 'two words']
    const byNode = await inside('--env', 'OTHER=', ...words) // a flag, which alone makes Node plan anew
    const without = execWithoutNode(words)
    assert.equal(without.stdout, byNode.replace('OTHER=\n', ''))
    assert.match(without.stdout, /^COLOUR=blue$/m)
    assert.match(without.stdout, /^\/tmp$/m)
  })

  it('keeps output and errors apart, and ends as the program does', () => {
    const script = 'echo out; echo err >&2; '
    const expected = { stdout: 'out\n', stderr: 'err\n' }
    assert.deepEqual(execWithoutNode(['box', 'sh', '-c', `${script}exit 7`]), { status: 7, ...expected })
    assert.deepEqual(execWithoutNode(['box', 'sh', '-c', `${script}kill -9 $$`]), {
      status: 137,
      ...expected,
    })
    const size = 3_000_000
    assert.equal(execWithoutNode(['box', 'head', '-c', String(size), '/dev/zero']).stdout.length, size)
  })

  it('takes standard input with -i alone', async () => {
    assert.equal(execWithoutNode(['box', 'cat'], { input: 'typed\n' }).stdout, '')
    assert.deepEqual(execWithoutNode(['-i', 'box', 'cat']), needsNode)
    await inside('-i', 'box', 'true')
    assert.equal(execWithoutNode(['-i', 'box', 'cat'], { input: 'typed\n' }).stdout, 'typed\n')
    assert.equal(
      execWithoutNode(['--interactive', 'box', 'wc', '-c'], { input: 'x'.repeat(200_000) }).stdout,
      '200000\n',
    )
  })

  it('leaves to Node what it does not understand', () => {
    for (const words of [
      ['-u', 'root', 'box', 'true'],
      ['-t', 'box', 'true'],
      ['--step', 'box', 'true'],
      ['box'],
      [],
    ])
      assert.deepEqual(execWithoutNode(words), needsNode, words.join(' '))
    assert.deepEqual(execWithoutNode(['../box', 'true']), needsNode)
    assert.deepEqual(execWithoutNode(['nobody', 'true']), needsNode)
  })

  it('leaves to Node what is no text', () => {
    const within = ['sh', '-c', 'exec "$@" "$(printf "a\\377\\303\\251")"', 'sh']
    assert.deepEqual(execWithoutNode(['box', 'printf'], { within }), needsNode)
    assert.equal(execWithoutNode(['box', 'printf', 'é€😀\u2028']).stdout, 'é€😀\u2028')
  })

  it('is not found below another root', async () => {
    const id = await idOf('box')
    const { runRoot } = debian.store()
    assert.deepEqual(withoutNode({ root: '/no/such/root', runRoot }, ['exec', id, 'true']), needsNode)
    assert.equal(execWithoutNode([id, 'true']).status, 0)
  })

  it('has what cannot be started told by Node', async () => {
    for (const [program, status] of [
      ['nonesuch', 127],
      ['/etc', 126],
      ['/etc/hostname', 126],
      ['', 127],
    ] as const) {
      assert.deepEqual(execWithoutNode(['box', program]), needsNode, program)
      const { stderr, ...outcome } = await debian.minictr('exec', 'box', program)
      assert.equal(outcome.status, status, stderr)
      assert.match(stderr, /^minictr: /)
    }
  })

  it('is told to events as every exec is', async () => {
    const command = ['sh', '-c', 'exit 43', 'a "b" <c> é\t']
    assert.equal((await debian.minictr('exec', 'box', ...command)).status, 43)
    assert.equal((await debian.minictr('exec', '--user', '0', 'box', ...command)).status, 43)
    const { stdout } = await debian.minictr(
      ...['events', '--since', '5m', '--until', '0s', '--filter', 'container=box', '--format', 'json'],
    )
    const all = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    const ends = all.filter(({ Actor }) => Actor.Attributes.exitCode === '43')
    assert.equal(ends.length, 2)
    const [own, other] = ends.map(({ Actor: { Attributes } }) =>
      all
        .filter(({ Actor }) => Actor.Attributes.execID === Attributes.execID)
        .map(({ time: _, timeNano: __, Actor: { Attributes, ...actor }, ...event }) => {
          const { execID: ___, ...attributes } = Attributes
          return { ...event, actor, attributes }
        }),
    )
    assert.equal(own!.length, 3)
    assert.deepEqual(own, other)
    const times = all.map(({ timeNano }) => timeNano)
    assert.deepEqual(times, times.toSorted())
    assert.ok(all.every(({ time, timeNano }) => Math.floor(timeNano / 1e9) === time))
  })

  it('lets Node begin another file of events', async () => {
    const { runRoot } = debian.store()
    const file = join(runRoot, 'events.jsonl')
    const before = readFileSync(file)
    truncateSync(file, 1_000_001)
    assert.deepEqual(execWithoutNode(['box', 'true']), needsNode)
    writeFileSync(file, before)
    assert.equal(execWithoutNode(['box', 'true']).status, 0)
  })

  it('ends as the program does where the events may not grow', () => {
    const file = join(debian.store().runRoot, 'events.jsonl')
    const before = readFileSync(file)
    truncateSync(file, 900_000)
    const within = ['sh', '-c', 'ulimit -f 1000; exec "$@"', 'sh']
    const { status } = execWithoutNode(['box', 'sh', '-c', 'exit 6'], { within })
    writeFileSync(file, before)
    assert.equal(status, 6)
  })

  it('says that output could not be written', async () => {
    const full = openSync('/dev/full', 'w')
    try {
      assert.deepEqual(execWithoutNode(['box', 'echo', 'lost'], { stdout: full }), needsNode) // which has the words for it
      const { globals } = debian.store()
      for (const [command, status] of [
        ['echo lost', 1],
        ['echo lost; exit 9', 9],
      ] as const) {
        const args = [...globals, 'exec', 'box', 'sh', '-c', command]
        const outcome = spawnSync(executable, args, { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' })
        assert.equal(outcome.status, status)
        assert.equal(
          outcome.stderr,
          'minictr: write /dev/stdout: no space left on device\nIts output is incomplete.\n',
        )
      }
    } finally {
      closeSync(full)
    }
  })

  it('says that its monitor was killed', async () => {
    const script = 'echo ready; exec sleep 1000.5'
    const running = startMinictr([...debian.store().globals, 'exec', 'box', 'sh', '-c', script])
    while (!running.output().includes('ready')) await new Promise(resolve => setTimeout(resolve, 20))
    const [pid] = processesWith(args => args[0] === 'sleep' && args[1] === '1000.5')
    const [, parent] = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!
    killIfThere(Number(parent))
    const { status, stderr } = await running.outcome
    assert.equal(status, 1)
    assert.match(stderr, /^minictr: the monitor ended before its container\n/)
    killIfThere(pid!)
  })
})

describe('what was kept of an exec', () => {
  after(async () => {
    await debian.minictr('rm', '--force', 'changing', 'renamed')
  })

  it('is not used for a container that has changed, or is another one', async () => {
    await container('changing')
    await inside('changing', 'true')
    assert.equal(execWithoutNode(['changing', 'true']).status, 0)
    await debian.minictr('rename', 'changing', 'renamed')
    assert.deepEqual(execWithoutNode(['changing', 'true']), needsNode)
    assert.deepEqual(execWithoutNode(['renamed', 'true']), needsNode)
    await inside('renamed', 'true')
    assert.equal(execWithoutNode(['renamed', 'true']).status, 0)
    const { stdout } = await debian.minictr(
      ...['events', '--since', '1m', '--until', '0s', '--filter', 'event=exec_die', '--format'],
      '{{.Actor.Attributes.name}}',
    )
    assert.equal(stdout.trim().split('\n').at(-1), 'renamed')
    await debian.minictr('update', '--memory', '300m', '--memory-swap', '300m', 'renamed')
    await inside('renamed', 'true')
    assert.equal(execWithoutNode(['renamed', 'true']).status, 0)
    await container('changing')
    assert.deepEqual(execWithoutNode(['changing', 'true']), needsNode)
  })

  it('is not used while the container is paused', async () => {
    await debian.minictr('pause', 'renamed')
    assert.deepEqual(execWithoutNode(['renamed', 'true']), needsNode)
    const { status, stderr } = await debian.minictr('exec', 'renamed', 'true')
    assert.equal(status, 1)
    assert.match(stderr, /is paused, unpause the container before exec/)
    await debian.minictr('unpause', 'renamed')
    assert.equal(execWithoutNode(['renamed', 'true']).status, 0)
  })

  it('holds nobody up where it cannot be written', async () => {
    const { runRoot } = debian.store()
    const kept = join(runRoot, await idOf('renamed'), 'exec.kept')
    rmSync(kept)
    mkdirSync(`${kept}.new`)
    const running = startMinictr([
      ...debian.store().globals,
      ...['exec', 'renamed', 'sh', '-c', 'echo ready; exec sleep 1000.25'],
    ])
    try {
      while (!running.output().includes('ready')) await new Promise(resolve => setTimeout(resolve, 20))
      for (const names of [
        ['renamed', 'other'],
        ['other', 'renamed'],
      ]) {
        const { status, stderr } = await debian.minictr('rename', ...names)
        assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
      }
    } finally {
      for (const pid of processesWith(args => args[1] === '1000.25')) killIfThere(pid)
      await running.outcome
      rmdirSync(`${kept}.new`)
    }
    await inside('renamed', 'true')
    assert.ok(existsSync(kept))
  })

  it('goes with the run', async () => {
    const { runRoot } = debian.store()
    const kept = join(runRoot, await idOf('renamed'), 'exec.kept')
    assert.ok(existsSync(kept))
    await debian.minictr('stop', '--time', '0', 'renamed')
    assert.ok(!existsSync(kept))
    const { status, stderr } = await debian.minictr('exec', 'renamed', 'true')
    assert.equal(status, 1)
    assert.match(stderr, /is not running/)
    await debian.minictr('start', 'renamed')
    assert.deepEqual(execWithoutNode(['renamed', 'true']), needsNode)
    await inside('renamed', 'true')
    assert.equal(execWithoutNode(['renamed', 'true']).status, 0)
  })

  it('is not believed where it is not whole', async () => {
    const { runRoot } = debian.store()
    const kept = join(runRoot, await idOf('renamed'), 'exec.kept')
    const whole = readFileSync(kept)
    for (let length = 0; length < whole.length; length += 97) {
      writeFileSync(kept, whole.subarray(0, length))
      assert.deepEqual(execWithoutNode(['renamed', 'true']), needsNode, `${length} bytes of it`)
    }
    writeFileSync(kept, whole)
    assert.equal(execWithoutNode(['renamed', 'true']).status, 0)
  })
})
