// From image to container and back: what is pulled for a run, what of images a container needs, many runs at once.

import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { performOps } from '../../src/runtime/perform-ops.ts'
import { spawnExecutor } from '../../src/system/executor.ts'
import { startMinictr } from '../fixtures/command-line.ts'
import { type Registry, startRegistry } from '../fixtures/registry.ts'
import { idsIn, namesIn, useDebian } from './debian.ts'
import { detached, eventsOf, obedient, patient, pidOf, saysReady, stateOf } from './detached.ts'
import { pullVariant, pushVariant } from './variant.ts'

const debian = useDebian()

/** Does something with a registry that is there as long. */
async function withRegistry(work: (registry: Registry) => Promise<void>): Promise<void> {
  const registry = await startRegistry()
  try {
    await work(registry)
  } finally {
    await registry.stop()
  }
}

const timesAsked = (registry: Registry) => registry.log().match(/\/v2\/variant\/manifests/g)?.length ?? 0

describe('the image of a run', () => {
  it('is pulled where it is missing, always, or never', async () => {
    await withRegistry(async registry => {
      const name = await pushVariant(debian, registry.host, { Cmd: ['echo', 'first'] })
      const run = (...flags: string[]) => debian.minictr('run', '--rm', '--network', 'none', ...flags, name)
      const never = await run('--pull', 'never')
      assert.equal(never.status, 125)
      assert.match(never.stderr, /^minictr: No such image: /)
      const missing = await run()
      assert.equal(missing.stdout, 'first\n')
      assert.match(missing.stderr, /^Unable to find image '.*\/variant:latest' locally\n/)
      assert.match(missing.stderr, /\nDigest: sha256:[0-9a-f]{64}\n$/)

      await pushVariant(debian, registry.host, { Cmd: ['echo', 'second'] })
      const asked = timesAsked(registry)
      assert.deepEqual(await run('--pull=missing'), { status: 0, stdout: 'first\n', stderr: '' })
      assert.deepEqual(await run('--pull', 'never'), { status: 0, stdout: 'first\n', stderr: '' })
      assert.equal(timesAsked(registry), asked)
      assert.deepEqual(await run('--pull', 'always', '--quiet'), {
        status: 0,
        stdout: 'second\n',
        stderr: '',
      })
      assert.ok(timesAsked(registry) > asked)
    })
  })

  it('is found by its id, the beginning of it, and its digest', async () => {
    const { image } = debian.store()
    const repository = image.replace(/:trixie$/, '')
    const { stdout } = await debian.minictr('images', '--no-trunc', '--digests', repository)
    const [digest, id] = stdout.match(/sha256:[0-9a-f]{64}/g)!
    for (const name of [id!, id!.slice(7), id!.slice(7, 19), `${repository}@${digest}`]) {
      const outcome = await debian.minictr('run', '--rm', '--quiet', '--pull', 'never', name, 'echo', 'found')
      assert.deepEqual(outcome, { status: 0, stdout: 'found\n', stderr: '' }, name)
    }
    const wrong = `${repository}@sha256:${'0'.repeat(64)}`
    assert.equal((await debian.minictr('run', '--rm', '--pull', 'never', wrong, 'true')).status, 125)
  })
})

describe('an image in use', () => {
  it('is not removed while a container, running or not, is made of it', async () => {
    const { image, root } = debian.store()
    const running = debian.start([], ['sh', '-c', 'echo ready; sleep 1000'])
    while (running.output() === '') await sleep(10)
    const refused = await debian.minictr('rmi', image)
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /unable to remove repository reference .* container [0-9a-f]{12} is using/)
    const [id] = namesIn(join(root, 'containers'))
    assert.equal((await debian.minictr('rm', '-f', id!)).status, 0)
    assert.equal((await running.outcome).status, 137)

    assert.equal((await debian.minictr('run', '--name', 'ended', image, 'true')).status, 0)
    const { stdout } = await debian.minictr('images', '-q', '--no-trunc', image)
    const byId = await debian.minictr('rmi', stdout.trim())
    assert.equal(byId.status, 1)
    assert.match(byId.stderr, /image is being used by stopped container/)
    assert.equal((await debian.minictr('rm', 'ended')).status, 0)
    assert.equal((await debian.run([], ['true'])).status, 0, 'the image is whole')
  })
})

describe('many runs at once', () => {
  it('do not disturb each other, and leave nothing', async () => {
    const script = (number: number) => `echo ${number} > /mine; hostname; cat /mine`
    const runs = Array.from({ length: 12 }, (_, number) =>
      debian.run(['-m', '64m', '--name', `run-${number}`], ['sh', '-c', script(number)]),
    )
    const hostnames = new Set<string>()
    for (const [number, { status, stdout, stderr }] of (await Promise.all(runs)).entries()) {
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
      const [name, mine] = stdout.split('\n')
      assert.equal(mine, String(number))
      hostnames.add(name!)
    }
    assert.equal(hostnames.size, 12)
    const { root, runRoot } = debian.store()
    const left = [...[join(root, 'containers'), join(root, 'names')].flatMap(namesIn), ...idsIn(runRoot)]
    assert.deepEqual(left, [])
    assert.equal((await debian.minictr('ps', '-aq')).stdout, '')
  })
})

describe('create, start, stop and start again', () => {
  afterEach(async () => {
    await debian.minictr('rm', '-f', '-v', 'box')
  })
  const create = (...args: string[]) =>
    debian.minictr('create', '--name', 'box', '--network', 'none', debian.store().image, ...args)
  const logs = async () => (await debian.minictr('logs', 'box')).stdout

  it('are the life of a container, with its events', async () => {
    const { status, stdout, stderr } = await create('sh', '-c', obedient)
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
    const id = stdout.trim()
    assert.match(id, /^[0-9a-f]{64}$/)
    assert.equal(await stateOf(debian, 'box'), 'Created')
    for (const _ of [1, 2]) {
      assert.deepEqual(await debian.minictr('start', 'box'), { status: 0, stdout: 'box\n', stderr: '' })
      await saysReady(debian, 'box', _)
      assert.equal(await stateOf(debian, 'box'), 'Up')
      assert.deepEqual(await debian.minictr('stop', id.slice(0, 12)), {
        status: 0,
        stdout: `${id.slice(0, 12)}\n`,
        stderr: '',
      })
      assert.equal(await stateOf(debian, 'box'), 'Exited (3)')
    }
    const once = ['start', 'kill signal=15', 'die exitCode=3', 'stop']
    assert.deepEqual(eventsOf(debian, id), ['create', ...once, ...once])
    assert.deepEqual(await debian.minictr('stop', 'box'), { status: 0, stdout: 'box\n', stderr: '' })
    assert.equal(eventsOf(debian, id).length, 9, 'to stop what does not run is no event')
  })

  it('keep what was written, to the file system and to the log', async () => {
    await create('sh', '-c', 'echo line >> /file; cat /file; exit $(wc -l < /file)')
    for (const count of [1, 2, 3]) {
      assert.equal((await debian.minictr('start', '-a', 'box')).status, count)
      assert.equal(await stateOf(debian, 'box'), `Exited (${count})`)
    }
    assert.equal(await logs(), 'line\n'.repeat(6))
  })

  it('by restart: the same container, another process', async () => {
    const id = await detached(debian, 'box', `date > /made-once; ${obedient}`)
    const before = pidOf(debian, id)
    assert.deepEqual(await debian.minictr('restart', 'box'), { status: 0, stdout: 'box\n', stderr: '' })
    await saysReady(debian, 'box', 2)
    assert.notEqual(pidOf(debian, id), before)
    const told = ['create', 'start', 'kill signal=15', 'die exitCode=3', 'stop', 'start', 'restart']
    assert.deepEqual(eventsOf(debian, id), told)
    await debian.minictr('stop', 'box')
    assert.equal((await debian.minictr('restart', 'box')).status, 0, 'of one that does not run is a start')
    assert.deepEqual(eventsOf(debian, id).slice(told.length), [
      ...['kill signal=15', 'die exitCode=3', 'stop'],
      ...['start', 'restart'],
    ])
  })

  it('by restart keep a container that goes with its end, until it ends by itself', async () => {
    const id = await detached(debian, 'box', obedient, '--rm')
    const inside = async (script: string) =>
      (await debian.minictr('exec', 'box', 'sh', '-c', script)).stdout.trim()
    const options = "grep '^overlay / ' /proc/mounts"
    assert.match(await inside(`echo kept > /written; ${options}`), /[,=]volatile[, ]/)
    assert.equal((await debian.minictr('restart', 'box')).status, 0)
    await saysReady(debian, 'box', 2)
    assert.match(await inside(`cat /written; ${options}`), /^kept\n.*[,=]volatile[, ]/)
    assert.ok(!eventsOf(debian, id).includes('destroy'))
    assert.equal((await debian.minictr('stop', 'box')).status, 0)
    assert.equal(await stateOf(debian, 'box'), 'none')
    assert.deepEqual(eventsOf(debian, id).slice(-4), ['kill signal=15', 'die exitCode=3', 'destroy', 'stop'])
  })

  it('keep the volumes nobody named, which rm -v takes', async () => {
    const { image, root } = debian.store()
    const volumes = () => namesIn(join(root, 'volumes')).filter(name => !name.startsWith('.'))
    const script = 'echo line >> /data/file; wc -l < /data/file'
    const flags = ['--name', 'box', '--network', 'none', '-v', '/data']
    await debian.minictr('create', ...flags, image, 'sh', '-c', script)
    const [volume, ...others] = volumes()
    assert.deepEqual(others, [])
    for (const count of [1, 2])
      assert.equal((await debian.minictr('start', '-a', 'box')).stdout, `${count}\n`)
    assert.deepEqual(volumes(), [volume])
    assert.equal((await debian.minictr('rm', '-v', 'box')).status, 0)
    assert.deepEqual(volumes(), [])
  })
})

describe('a start that is being written down', () => {
  afterEach(async () => {
    await debian.minictr('rm', '-f', 'box')
  })

  it('is none of a container that has ended', async () => {
    const id = await detached(debian, 'box', `${patient}exit 7`)
    const { root, globals } = debian.store()
    await debian.minictr('kill', 'box')
    const trace = join(debian.directory(), 'trace')
    const file = join(root, 'containers', id, 'lifecycle.json')
    const renames = 'rename,renameat,renameat2'
    const late = ['-P', `${file}.tmp`, '-e', `trace=${renames}`, '-e', `inject=${renames}:delay_exit=2000000`]
    const starting = startMinictr([...globals, 'start', 'box'], {
      within: ['strace', '-f', '-o', trace, ...late],
    })
    for (let tries = 0; tries < 500 && !isWritten(trace, file); tries++) await sleep(20)
    const state = await stateOf(debian, 'box')
    await debian.minictr('rm', '-f', 'box') // strace stays as long as anything of it
    await starting.outcome
    assert.equal(state, 'Up')
  })
})

function isWritten(trace: string, file: string): boolean {
  return existsSync(trace) && readFileSync(trace, 'utf8').includes(file)
}

describe('a start that waits for another command', () => {
  afterEach(async () => {
    await debian.minictr('rm', '-f', 'box')
  })

  it('takes the container as that command has left it', async () => {
    const { image, root } = debian.store()
    const made = await debian.minictr(
      'create',
      '--name',
      'box',
      '-e',
      'SAID=before',
      image,
      'printenv',
      'SAID',
    )
    const directory = join(root, 'containers', made.stdout.trim())
    const config = join(directory, 'config.json')
    const { executor, close } = spawnExecutor()
    try {
      await performOps([{ op: 'lock', path: join(directory, 'lock'), waitMs: 0, as: 'lock' }], executor)
      const starting = debian.minictr('start', '-a', 'box')
      await sleep(1000) // it has found the container by then, and waits
      writeFileSync(config, readFileSync(config, 'utf8').replace('SAID=before', 'SAID=after'))
      await performOps([{ op: 'close', slot: 'lock' }], executor)
      assert.deepEqual(await starting, { status: 0, stdout: 'after\n', stderr: '' })
    } finally {
      await close()
    }
  })
})

describe('run -d', () => {
  afterEach(async () => {
    await debian.minictr('rm', '-f', 'box')
  })

  it('prints the id, returns at once, and what is said goes to the log alone', async () => {
    const id = await detached(debian, 'box', 'echo ready; echo err >&2; exec sleep 1000')
    assert.equal((await debian.minictr('ps', '-q', '--no-trunc')).stdout, `${id}\n`)
    const { stdout, stderr } = await debian.minictr('logs', 'box')
    assert.deepEqual({ stdout, stderr }, { stdout: 'ready\n', stderr: 'err\n' })
  })

  it('tells with 126 and 127 what cannot be started, and keeps no such container with --rm', async () => {
    const { image } = debian.store()
    const run = (...command: string[]) =>
      debian.minictr('run', '-d', '--rm', '--network', 'none', '--name', 'box', image, ...command)
    assert.equal((await run('nosuch')).status, 127)
    assert.equal((await run('/etc/passwd')).status, 126)
    assert.equal(await stateOf(debian, 'box'), 'none')
  })

  it('goes on when the one who ran it has ended, and its end is recorded and undone', async () => {
    const id = await detached(debian, 'box', 'echo ready; sleep 0.5; echo over; exit 7')
    assert.equal((await debian.minictr('wait', 'box')).stdout, '7\n')
    for (let tries = 0; tries < 500 && eventsOf(debian, id).length < 3; tries++) await sleep(20)
    assert.deepEqual(eventsOf(debian, id), ['create', 'start', 'die exitCode=7'])
    assert.equal(await stateOf(debian, 'box'), 'Exited (7)')
    assert.equal((await debian.minictr('logs', 'box')).stdout, 'ready\nover\n')
    for (let tries = 0; tries < 500 && idsIn(debian.store().runRoot).length > 0; tries++) await sleep(20)
    assert.deepEqual(idsIn(debian.store().runRoot), [])
  })
})

describe('what stop sends', () => {
  afterEach(async () => {
    await debian.minictr('rm', '-f', 'box')
  })
  const telling =
    'for s in TERM INT QUIT USR1; do trap "echo $s; exit 0" $s; done; echo ready; while :; do sleep 0.05; done'
  const said = async () => (await debian.minictr('logs', 'box')).stdout.trim().split('\n').at(-1)

  it('is the signal of the image, of the container, or of the command', async () => {
    const image = await pullVariant(debian, { StopSignal: 'SIGQUIT', Cmd: ['bash', '-c', telling] })
    const run = (...flags: string[]) =>
      debian.minictr('run', '-d', '--name', 'box', '--network', 'none', ...flags, image)
    for (const [flags, stop, signal] of [
      [[], [], 'QUIT'],
      [['--stop-signal', 'INT'], [], 'INT'],
      [['--stop-signal', '10'], [], 'USR1'],
      [[], ['-s', 'SIGTERM'], 'TERM'],
    ] as const) {
      await run(...flags)
      await saysReady(debian, 'box')
      assert.equal((await debian.minictr('stop', ...stop, 'box')).status, 0)
      assert.equal(await said(), signal)
      assert.equal(await stateOf(debian, 'box'), 'Exited (0)')
      await debian.minictr('rm', 'box')
    }
    await debian.minictr('rmi', image)
  })

  it('is SIGKILL after the time of the container or of the command', async () => {
    for (const [flags, stop] of [
      [['--stop-timeout', '1'], []],
      [[], ['-t', '1']],
      [
        ['--stop-timeout', '600'],
        ['--time', '0'],
      ],
      [['--stop-timeout', '600'], ['--timeout=0']],
    ] as const) {
      const id = await detached(debian, 'box', undefined, ...flags)
      assert.equal((await debian.minictr('stop', ...stop, 'box')).status, 0)
      assert.equal(await stateOf(debian, 'box'), 'Exited (137)')
      assert.deepEqual(eventsOf(debian, id).slice(2), [
        ...['kill signal=15', 'kill signal=9', 'die exitCode=137', 'stop'],
      ])
      await debian.minictr('rm', 'box')
    }
  })

  it('waits for ever with -1, and not longer than the program takes', async () => {
    await detached(debian, 'box', 'trap "sleep 1; exit 9" TERM; echo ready; while :; do sleep 0.05; done')
    assert.equal((await debian.minictr('stop', '-t', '-1', 'box')).status, 0)
    assert.equal(await stateOf(debian, 'box'), 'Exited (9)')
  })

  it('is told as wrong where it is no signal or no time', async () => {
    const signal = await debian.minictr('stop', '-s', 'FOO', 'box')
    assert.equal(signal.status, 1)
    assert.match(signal.stderr, /^minictr: Invalid signal: FOO\n/)
    const time = await debian.minictr('stop', '-t', 'soon', 'box')
    assert.equal(time.status, 125)
    assert.match(time.stderr, /^minictr: invalid argument "soon" for "-t, --timeout" flag: /)
  })
})
