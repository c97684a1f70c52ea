// A container that cannot be started is there all the same, and says why: as Docker has it.

import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, it } from 'node:test'
import type { Outcome } from '../fixtures/command-line.ts'
import { idsIn, namesIn, useDebian } from './debian.ts'
import { detached, eventsOf, stateOf } from './detached.ts'

const debian = useDebian()

afterEach(() => debian.removeContainers())

const NEVER = '0001-01-01T00:00:00Z'
const notFound = 'exec: "nosuch": executable file not found in $PATH'

/** `run --name box FLAGS debian COMMAND`, without --rm. */
async function run(flags: string[], ...command: string[]): Promise<Outcome> {
  return await debian.minictr('run', '--name', 'box', ...flags, debian.store().image, ...command)
}

type State = { Status: string; ExitCode: number; Error: string; StartedAt: string; FinishedAt: string }

async function inspected(): Promise<State> {
  return JSON.parse((await debian.minictr('inspect', '-f', '{{json .State}}', 'box')).stdout)
}

function volumes(): string[] {
  return namesIn(join(debian.store().root, 'volumes')).filter(name => !name.startsWith('.'))
}

describe('a run that cannot start its program', () => {
  it('leaves the container, created, with the status and the reason; each start of it fails alike', async () => {
    const { status, stderr } = await run([], 'nosuch')
    assert.equal(status, 127)
    assert.ok(stderr.startsWith(`minictr: ${notFound}\n`), stderr)
    for (const args of [undefined, ['start', 'box'], ['start', '-a', 'box'], ['restart', 'box']]) {
      if (args) assert.equal((await debian.minictr(...args)).status, 1)
      const never = { StartedAt: NEVER, FinishedAt: NEVER }
      const expected = { Status: 'created', ExitCode: 127, Error: notFound, ...never }
      assert.partialDeepStrictEqual(await inspected(), expected)
    }
    assert.equal(await stateOf(debian, 'box'), 'Created')
    assert.deepEqual(idsIn(debian.store().runRoot), [], 'its runs are undone')
    assert.equal((await debian.minictr('wait', 'box')).stdout, '127\n')
    assert.deepEqual(await debian.minictr('logs', 'box'), { status: 0, stdout: '', stderr: '' })
    assert.equal((await debian.minictr('rm', 'box')).status, 0)
  })

  it('tells of its making, and of no start or end', async () => {
    const { stdout } = await run(['-d'], 'nosuch')
    assert.deepEqual(eventsOf(debian, stdout.trim()), ['create'])
  })

  it('has Docker’s statuses, for the command and for the container', async () => {
    const file = join(debian.directory(), 'file')
    writeFileSync(file, '')
    for (const [ofRun, ofContainer, flags, command] of [
      [126, 126, [], '/etc/passwd'],
      [126, 126, [], '/etc'],
      [127, 127, ['--sysctl', 'net.no_such_setting=1'], 'true'],
      [125, 128, ['--sysctl', 'net.core.somaxconn=abc'], 'true'],
      [125, 127, ['-v', `${file}:/etc`], 'true'],
    ] as const) {
      assert.equal((await run([...flags], command)).status, ofRun, `${flags} ${command}`)
      assert.equal((await inspected()).ExitCode, ofContainer, `${flags} ${command}`)
      await debian.minictr('rm', 'box')
    }
  })

  it('with -d prints the id all the same; the cidfile has it, and a volume nobody named is there', async () => {
    const cidFile = join(debian.directory(), 'id')
    const { status, stdout } = await run(['-d', '--cidfile', cidFile, '-v', '/data'], 'nosuch')
    assert.equal(status, 127)
    assert.equal(readFileSync(cidFile, 'utf8'), stdout.trim())
    assert.deepEqual(namesIn(join(debian.store().root, 'containers')), [stdout.trim()])
    assert.equal(volumes().length, 1)
    assert.equal((await debian.minictr('rm', '-v', 'box')).status, 0)
    assert.deepEqual(volumes(), [])
  })

  it('leaves nothing with --rm but the cidfile', async () => {
    const cidFile = join(debian.directory(), 'id')
    const { status, stdout } = await run(['-d', '--rm', '--cidfile', cidFile, '-v', '/data'], 'nosuch')
    assert.equal(status, 127)
    assert.equal(readFileSync(cidFile, 'utf8'), stdout.trim())
    assert.equal(await stateOf(debian, 'box'), 'none')
    assert.deepEqual(volumes(), [])
    assert.deepEqual(namesIn(join(debian.store().root, 'names')), [])
  })
})

describe('a run that finds out while it plans that it cannot start', () => {
  it('makes the container, which starts when that is possible', async () => {
    const { image } = debian.store()
    await debian.minictr('create', '--name', 'base', image, 'sleep', '1000')
    const { status, stderr } = await run(['--network', 'container:base'], 'echo', 'joined')
    assert.equal(status, 125)
    assert.match(stderr, /^minictr: cannot join namespaces of container base: it is not running\n/)
    const state = await inspected()
    assert.partialDeepStrictEqual(state, { Status: 'created', ExitCode: 128 })
    assert.match(state.Error, /^cannot join namespaces of container/)
    await debian.minictr('start', 'base')
    assert.deepEqual(await debian.minictr('start', '-a', 'box'), {
      status: 0,
      stdout: 'joined\n',
      stderr: '',
    })
    assert.partialDeepStrictEqual(await inspected(), { Status: 'exited', ExitCode: 0, Error: '' })
  })

  it('leaves nothing with --rm', async () => {
    await debian.minictr('create', '--name', 'base', debian.store().image, 'true')
    assert.equal((await run(['--rm', '--network', 'container:base'], 'true')).status, 125)
    assert.equal(await stateOf(debian, 'box'), 'none')
  })
})

describe('what cannot even be made', () => {
  it('leaves nothing, and no cidfile', async () => {
    const cidFile = join(debian.directory(), 'id')
    for (const [words, ...flags] of [
      ['is not a directory in the image', '-w', '/etc/passwd'],
      ['is not a directory in the image', '-w', '/etc/passwd/x'],
      ['cannot mount volume over existing file, file exists /etc/passwd', '-v', 'data:/etc/passwd'],
      ['bind source path does not exist', '--mount', 'type=bind,src=/no/such,dst=/x'],
      ['Unable to find user nosuch', '-u', 'nosuch'],
    ] as const) {
      const { status, stderr } = await run(['--cidfile', cidFile, ...flags], 'true')
      assert.equal(status, 125)
      assert.ok(stderr.includes(words), stderr)
      assert.equal(existsSync(cidFile), false)
      assert.equal(await stateOf(debian, 'box'), 'none')
    }
  })
})

describe('a start that fails', () => {
  it('changes the status of one that has ended, and not when that was; one that succeeds forgets it', async () => {
    const program = join(debian.directory(), 'program')
    writeFileSync(program, '#!/bin/sh\nexit 3\n', { mode: 0o755 })
    assert.equal((await run(['-v', `${program}:/program`], '/program')).status, 3)
    const before = await inspected()
    assert.partialDeepStrictEqual(before, { Status: 'exited', ExitCode: 3, Error: '' })
    chmodSync(program, 0o644)
    assert.equal((await debian.minictr('start', 'box')).status, 1)
    const refused = { ExitCode: 126, Error: 'exec: "/program": permission denied' }
    assert.deepEqual(await inspected(), { ...before, ...refused })
    assert.equal(await stateOf(debian, 'box'), 'Exited (126)')
    assert.equal((await debian.minictr('wait', 'box')).stdout, '126\n')
    assert.match((await debian.minictr('ps', '-aq', '-f', 'exited=126')).stdout, /./)
    chmodSync(program, 0o755)
    assert.equal((await debian.minictr('start', '-a', 'box')).status, 3)
    assert.partialDeepStrictEqual(await inspected(), { Status: 'exited', ExitCode: 3, Error: '' })
  })

  it('removes one that was to go at its end', async () => {
    const { image } = debian.store()
    await debian.minictr('create', '--rm', '--name', 'box', '-v', '/data', image, 'nosuch')
    const { status, stderr } = await debian.minictr('start', 'box')
    assert.equal(status, 1)
    assert.ok(stderr.includes(notFound), stderr)
    assert.equal(await stateOf(debian, 'box'), 'none')
    assert.deepEqual(volumes(), [])
  })

  it('does not keep the policy from starting it after a boot', async () => {
    assert.equal((await run(['-d', '--restart', 'always'], 'nosuch')).status, 127)
    const { status, stderr } = await debian.minictr('system', 'boot')
    assert.equal(status, 1)
    assert.ok(stderr.includes(notFound), stderr)
    assert.equal(await stateOf(debian, 'box'), 'Created')
  })

  it('is none where the container runs', async () => {
    await detached(debian, 'box')
    assert.equal((await debian.minictr('start', 'box')).status, 0)
    assert.partialDeepStrictEqual(await inspected(), { Status: 'running', ExitCode: 0, Error: '' })
  })
})
