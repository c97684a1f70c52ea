// What a reboot, or a kill in the middle of a removal, leaves: found by the next command that meets it, or by system recover.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { endRun } from '../../src/containers/end.ts'
import { containerPaths, readContainer, writeRunState } from '../../src/containers/state.ts'
import { Journal } from '../../src/runtime/journal.ts'
import { spawnExecutor } from '../../src/system/executor.ts'
import { useSmallStore } from '../fixtures/small-store.ts'
import { family, textOf } from '../fixtures/victims.ts'

const store = useSmallStore()
const unnetworked = ['--network', 'none']

function create(name: string, ...flags: string[]): Promise<string> {
  return store.succeed('create', '--name', name, ...flags, ...unnetworked, store.image, 'true')
}

const deaths = (id: string) =>
  readFileSync(join(store.runRoot, 'events.jsonl'), 'utf8').match(new RegExp(`"die","id":"${id}"`, 'g'))
    ?.length ?? 0

async function withExecutor<T>(work: (executor: ReturnType<typeof spawnExecutor>['executor']) => Promise<T>) {
  const { executor, close } = spawnExecutor()
  try {
    return await work(executor)
  } finally {
    await close()
  }
}

describe('a container that was half removed', () => {
  it('is not listed, its name can be taken, and the next command takes the rest away', async () => {
    const id = await create('half')
    const { directory, lock } = containerPaths(store, id)
    renameSync(directory, join(store.root, 'containers', `.removed-${id}`))
    assert.equal(existsSync(lock), false)
    assert.equal(await store.succeed('images', '-q').then(text => text.split('\n').length), 1)
    await create('half')
    assert.equal(existsSync(join(store.root, 'containers', `.removed-${id}`)), false)
    assert.doesNotMatch(await store.succeed('ps', '-a', '--no-trunc'), new RegExp(id))
    await store.succeed('rm', 'half')
  })
})

describe('system recover', () => {
  it('removes what has become no container, and names without one', async () => {
    const id = await create('never')
    rmSync(containerPaths(store, id).record)
    writeFileSync(join(store.root, 'names/nobody'), 'ab'.repeat(32))
    assert.equal(await store.succeed('ps', '-aq'), '')
    assert.equal(await store.succeed('system', 'recover'), '')
  })

  it('removes a container that was to go at its end, and has none of its run left', async () => {
    const id = await store.succeed('run', '-d', '--rm', ...unnetworked, store.image, 'sleep', '1000')
    const { runDirectory } = containerPaths(store, id)
    const monitor = new Journal(runDirectory).owner()!.pid
    // As a power cut does: everything ends at once, and what is in the run root is gone.
    for (const pid of family(monitor).toReversed()) process.kill(pid, 'SIGKILL')
    while (textOf(`/proc/${monitor}/stat`) !== '') await sleep(10)
    await withExecutor(async executor => {
      const undoing = new Journal(runDirectory).read().flatMap(({ undo }) => undo)
      for (const op of undoing)
        if (op.op === 'remove_cgroup') await executor.perform([{ name: op.op, args: [op.path] }])
    })
    rmSync(runDirectory, { recursive: true })
    assert.match(await store.succeed('ps', '-a'), / Exited \(unknown\) /)
    assert.equal(await store.succeed('system', 'recover'), '')
  })

  it('leaves what is damaged, and says where that is', async () => {
    const id = await create('damaged')
    const { record } = containerPaths(store, id)
    const text = readFileSync(record)
    writeFileSync(record, '')
    const { status, stderr } = await store.minictr('system', 'recover')
    assert.equal(status, 1)
    assert.match(stderr, /container\.json is damaged; what the container wrote is in \S+\/upper\n/)
    writeFileSync(record, text)
    await store.succeed('rm', 'damaged')
  })

  it('gives back a name that a container had before', async () => {
    const id = await create('new')
    writeFileSync(join(store.root, 'names/old'), id)
    assert.equal(await store.succeed('system', 'recover'), '')
    assert.equal(existsSync(join(store.root, 'names/old')), false)
    await store.succeed('rm', 'new')
  })
})

describe('the end of a run', () => {
  it('is not that of the next one', async () => {
    const id = await store.succeed(
      'run',
      '-d',
      '--name',
      'again',
      ...unnetworked,
      store.image,
      'sleep',
      '1000',
    )
    const first = new Journal(containerPaths(store, id).runDirectory).owner()
    await store.succeed('restart', '-t', '0', 'again')
    await withExecutor(async executor => {
      for (const owner of [first, undefined])
        assert.deepEqual(await endRun(store, id, executor, { owner }), { failed: [] })
    })
    assert.match(await store.succeed('exec', 'again', 'ls', '/proc/1/exe'), /exe/)
    assert.equal(deaths(id), 1)
    await store.succeed('rm', '-f', 'again')
  })

  it('is told also where the program had ended before it could be seen', async t => {
    const id = await create('short')
    const { runDirectory } = containerPaths(store, id)
    // A child that nobody waits for: it ends when bash(1), which would, is another program.
    const parent = spawn('bash', ['-c', 'sleep 1 & echo $!; exec sleep 1000'])
    t.after(() => parent.kill('SIGKILL'))
    const zombie = Number(await new Promise(resolve => parent.stdout.once('data', resolve)))
    while (!/\) Z /.test(textOf(`/proc/${zombie}/stat`))) await sleep(10)
    mkdirSync(runDirectory)
    const startedAtMs = Date.now()
    writeRunState(
      store,
      id,
      { pid: zombie, parentPid: parent.pid! },
      { startedAtMs, restartCount: 0, isStoppedByUser: false },
    )
    parent.kill('SIGKILL')
    assert.equal(readContainer(store, id)?.status, 'exited')
    assert.match(await store.succeed('ps', '-a'), / Exited \(unknown\) .* short$/m)
    assert.equal(deaths(id), 1)
    assert.equal(existsSync(runDirectory), false)
    await store.succeed('rm', 'short')
  })
})
