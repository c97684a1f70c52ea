// What a machine can run out of: room on the disk, the right to write, processes, open files, memory. The error says so, nothing
// is damaged, and all goes on when there is enough again.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf } from '../../src/system/errno.ts'
import { hostFacts } from '../../src/system/host-facts.ts'
import { executable, type Outcome } from '../fixtures/command-line.ts'
import { type SmallStore, useSmallStore } from '../fixtures/small-store.ts'

const PAGE_BYTES = 4096
const unnetworked = ['--network', 'none']
/** What makes containers, and how it says that it could not. */
const makers = [
  { how: ['run', '--rm'], status: 125 },
  { how: ['run', '-d'], status: 125 },
  { how: ['create'], status: 1 },
]

/** A store on a file system of its own, whose directory is given as well. */
function useStoreOnFileSystem(megabytes: number): { store: SmallStore; directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'minictr-exhausted-'))
  before(() => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'minictr-exhausted', directory])
  })
  const store = useSmallStore(() => directory)
  after(() => {
    execFileSync('umount', [directory])
    rmdirSync(directory)
  })
  return { store, directory }
}

function assertFailed({ status, stderr }: Outcome, expectedStatus: number, reason: RegExp): void {
  assert.equal(status, expectedStatus, stderr)
  assert.match(stderr, reason)
  assert.doesNotMatch(stderr, /no words for|\n +at /)
}

describe('a full disk', () => {
  const { store, directory } = useStoreOnFileSystem(20)

  /** Leaves this many pages on the store's disk; gives what gives all of it back. */
  function fill(t: TestContext, freePages = 0): { end(): void } {
    const path = join(directory, 'filler')
    const end = () => rmSync(path, { force: true })
    t.after(end)
    const filler = openSync(path, 'w')
    const page = Buffer.alloc(PAGE_BYTES)
    let pages = 0
    try {
      for (; ; pages++) writeSync(filler, page)
    } catch (error) {
      assert.equal(errnoOf(error), 'ENOSPC')
    } finally {
      closeSync(filler)
    }
    truncateSync(path, (pages - freePages) * PAGE_BYTES)
    assert.equal(statfsSync(directory).bfree, freePages)
    return { end }
  }

  it('is told of, wherever in a create it fills up, and nothing is left of that', async t => {
    let succeeded = 0
    for (let freePages = 0; succeeded === 0; freePages += 3) {
      const filler = fill(t, freePages)
      const outcome = await store.minictr('create', '--name', 'fits', ...unnetworked, store.image, 'true')
      filler.end()
      if (outcome.status === 0) succeeded++
      else
        assertFailed(
          outcome,
          1,
          /(the file system of \S+ is full: df |^minictr: ENOSPC.* '\S+'\nThe disk is full)/,
        )
      assert.equal(await store.succeed('ps', '-aq', '--no-trunc'), outcome.stdout.trim())
    }
    await store.succeed('start', '-a', 'fits')
    await store.succeed('rm', 'fits')
  })

  it('keeps nobody from seeing, entering, stopping and removing what is there', async t => {
    const chatty = ['sh', '-c', 'while :; do echo a line; sleep 0.01; done']
    await store.succeed('run', '-d', '--name', 'runs', ...unnetworked, store.image, ...chatty)
    await store.succeed('run', '-d', '--rm', '--name', 'goes', ...unnetworked, store.image, 'sleep', '1000')
    await store.succeed('create', '--name', 'made', ...unnetworked, store.image, 'true')
    const filler = fill(t)
    for (const { how, status } of makers)
      assertFailed(await store.minictr(...how, ...unnetworked, store.image, 'true'), status, /ENOSPC/)
    assertFailed(await store.minictr('start', 'made'), 1, /ENOSPC.* '\S+'\nThe disk is full: /)
    assertFailed(await store.minictr('image', 'from-host', 'other', 'true'), 1, /ENOSPC/)
    await store.succeed('exec', 'runs', 'true')
    assert.match(await store.succeed('logs', '--tail', '3', 'runs'), /^a line$/m)
    const stopped = await store.minictr('stop', '-t', '0', 'runs')
    assert.deepEqual([stopped.status, stopped.stdout], [0, 'runs\n'])
    assert.match(stopped.stderr, /^WARNING: It is not recorded that runs is being stopped: ENOSPC/)
    await store.succeed('stop', '-t', '0', 'goes')
    // How it ended could not be written down: then nothing is made up.
    assert.match(await store.succeed('ps', '-a'), / Exited \((unknown|137)\) .* runs$/m)
    assert.doesNotMatch(await store.succeed('ps', '-a'), /goes/)
    filler.end()
    await store.succeed('start', '-a', 'made')
    await store.succeed('start', 'runs')
    await store.succeed('rm', '-f', 'runs', 'made')
  })

  it('costs lines of the log, and no more', async t => {
    const counting = ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo "line $i"; sleep 0.01; done']
    await store.succeed('run', '-d', '--name', 'runs', ...unnetworked, store.image, ...counting)
    const lastLine = async () =>
      Number((await store.succeed('logs', '--tail', '1', 'runs')).replace('line ', ''))
    const filler = fill(t)
    let last = await lastLine()
    for (let before = -1; before !== last; last = await lastLine()) before = last
    filler.end()
    while ((await lastLine()) === last) await sleep(50)
    assert.match(await store.succeed('logs', 'runs'), /^(line \d+\n)+line \d+$/)
    await store.succeed('rm', '-f', 'runs')
  })
})

describe('a read-only file system', () => {
  const store = useSmallStore()

  /** Lets nothing be written below a directory; gives what ends it. */
  function readOnly(t: TestContext, directory: string): { end(): void } {
    execFileSync('mount', ['--bind', directory, directory])
    execFileSync('mount', ['-o', 'remount,bind,ro', directory])
    let isOver = false
    const end = () => {
      if (!isOver) execFileSync('umount', [directory])
      isOver = true
    }
    t.after(end)
    return { end }
  }

  async function containers(): Promise<void> {
    await store.succeed('run', '-d', '--name', 'runs', ...unnetworked, store.image, 'sleep', '1000')
    await store.succeed('run', '-d', '--rm', '--name', 'goes', ...unnetworked, store.image, 'sleep', '1000')
    await store.succeed('create', '--name', 'made', ...unnetworked, store.image, 'true')
  }

  it('at --root: what runs can be seen and stopped, the rest is refused', async t => {
    await containers()
    const front = store.start([
      'run',
      '--rm',
      ...unnetworked,
      store.image,
      'sh',
      '-c',
      'echo ready; sleep 1; exit 7',
    ])
    while (front.output() === '') await sleep(10)
    const mount = readOnly(t, store.root)
    const fronted = await front.outcome
    assert.equal(fronted.status, 7)
    assert.match(fronted.stderr, /^(Not cleaned up: .* = EROFS\n)+$/)
    for (const { how, status } of makers) {
      const outcome = await store.minictr(...how, ...unnetworked, store.image, 'true')
      assertFailed(
        outcome,
        status,
        / = EROFS\nLikely cause: \S+ lies on a file system that is mounted read-only/,
      )
    }
    const started = await store.minictr('start', 'made')
    assertFailed(started, 1, /Likely cause: \S+\/upper lies on a file system that is mounted read-only/)
    assertFailed(await store.minictr('image', 'from-host', 'other', 'true'), 1, /EROFS/)
    assertFailed(await store.minictr('rm', 'made'), 1, /container made is not wholly removed: .* = EROFS/)
    await store.succeed('exec', 'runs', 'true')
    for (const name of ['runs', 'goes']) {
      const { status, stderr } = await store.minictr('stop', '-t', '0', name)
      assert.equal(status, 0)
      assert.match(stderr, /^WARNING: It is not recorded that \w+ is being stopped: EROFS/)
    }
    assert.match(await store.succeed('ps', '-a'), / Exited \(unknown\) .* runs$/m)
    assertFailed(await store.minictr('system', 'recover'), 1, /not everything could be undone:\n.* = EROFS/)
    mount.end()
    await store.succeed('system', 'recover')
    assert.doesNotMatch(await store.succeed('ps', '-a'), /goes/)
    await store.succeed('start', 'runs')
    await store.succeed('start', '-a', 'made')
    await store.succeed('rm', '-f', 'runs', 'made')
  })

  it('at --run-root: nothing is started, and what ran is undone when it can be', async t => {
    await containers()
    const mount = readOnly(t, store.runRoot)
    for (const { how, status } of makers) {
      const outcome = await store.minictr(...how, ...unnetworked, store.image, 'true')
      assertFailed(outcome, status, /EROFS: .*\nThat file system is mounted read-only: /)
    }
    assertFailed(await store.minictr('start', 'made'), 1, /EROFS: /)
    assert.match(await store.succeed('ps'), / Up .* runs$/m)
    await store.succeed('exec', 'runs', 'true')
    process.kill(Number(await store.succeed('exec', 'runs', 'sh', '-c', 'kill -9 1; echo 0')), 0)
    mount.end()
    await store.succeed('rm', '-f', 'runs', 'goes', 'made')
  })
})

describe('too little of', () => {
  const store = useSmallStore()

  /** A cgroup of minictr's own with one controller; gives its directory. */
  function cgroup(t: TestContext, controller: string): string {
    const hierarchy = hostFacts().cgroups.find(({ controllers }) => controllers.includes(controller))
    assert.ok(hierarchy, `a cgroup file system with ${controller}`)
    const directory = join(hierarchy.mountPoint, 'minictr-exhausted')
    mkdirSync(directory)
    t.after(async () => {
      while (existsSync(directory)) {
        try {
          rmdirSync(directory)
        } catch (error) {
          assert.equal(errnoOf(error), 'EBUSY')
          await sleep(10)
        }
      }
    })
    return directory
  }

  /** minictr behind a line of shell that sets limits; ended where Node itself hangs for want of them. */
  async function limited(line: string, ...args: string[]): Promise<Outcome & { signal: string | null }> {
    const command = [executable, ...store.globals, ...args]
    const child = spawn('sh', ['-c', `${line}; exec "$@"`, 'sh', ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text
    })
    const hung = setTimeout(() => child.kill('SIGKILL'), 10_000)
    const [status, signal] = await once(child, 'close')
    clearTimeout(hung)
    return { status, signal, stdout, stderr }
  }

  it('processes: the error names the limit', async t => {
    const directory = cgroup(t, 'pids')
    const join_ = `echo $$ > ${directory}/cgroup.procs`
    const run = ['run', '--rm', ...unnetworked, store.image, 'true']
    const isTold = /the cgroup \/minictr-exhausted may have \d+ processes and threads, and has \d+: /
    let told = 0
    // With fewer Node does not come as far as minictr.
    for (let most = 8; ; most++) {
      writeFileSync(join(directory, 'pids.max'), String(most))
      const outcome = await limited(join_, ...run)
      if (outcome.status === 0) break
      if (!isTold.test(outcome.stderr)) continue
      assert.equal(outcome.status, 125)
      told++
      assert.ok(most < 40)
    }
    assert.ok(told > 1)
    // Where Node aborted or hung, what follows the container's end had no room either.
    await store.succeed('system', 'recover')
  })

  it('open files: the error names the limit', async () => {
    let told = 0
    // For a run there is room as soon as Node itself has started; for several containers there are several helpers.
    for (let most = 24; ; most++) {
      const outcome = await limited(`ulimit -n ${most}`, 'stop', 'one', 'two', 'three')
      if (outcome.stderr.split('No such container').length === 4) break
      if (!/limit of open files of one process/.test(outcome.stderr)) continue
      assert.equal(outcome.status, 1)
      told++
      assert.ok(most < 80)
    }
    assert.ok(told > 1)
  })

  it('memory for minictr: it is killed, and nothing is left', async t => {
    const directory = cgroup(t, 'memory')
    const file = existsSync(join(directory, 'memory.max')) ? 'memory.max' : 'memory.limit_in_bytes'
    const run = ['run', '--rm', '--name', 'small', ...unnetworked, store.image, 'true']
    let killed = 0
    for (const megabytes of [4, 8, 16]) {
      writeFileSync(join(directory, file), String(megabytes << 20))
      const { status, signal } = await limited(`echo $$ > ${directory}/cgroup.procs`, ...run)
      if (signal === 'SIGKILL' || status !== 0) killed++
      assert.equal((await store.minictr('ps', '-a')).status, 0)
      await store.succeed('system', 'recover')
      await store.assertAsBefore()
      await store.succeed(...run)
    }
    assert.ok(killed > 0)
  })

  it('memory for the container: its program is killed, 137', async () => {
    const greedy = ['sh', '-c', 'head -c 200m /dev/zero | tail']
    const limits = ['-m', '16m', '--memory-swap', '16m']
    const { status } = await store.minictr(
      'run',
      '--name',
      'greedy',
      ...limits,
      ...unnetworked,
      store.image,
      ...greedy,
    )
    assert.equal(status, 137)
    assert.match(await store.succeed('ps', '-a'), / Exited \(137\) .* greedy$/m)
    await store.succeed('rm', 'greedy')
  })
})
