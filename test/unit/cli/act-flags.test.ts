// Command lines of commands that act on containers, as they are read for `explain` and `script`: words, flags, switches.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Command } from 'commander'
import * as attach from '../../../src/cli/attach.ts'
import type { GlobalOptions } from '../../../src/cli/command.ts'
import { namedFirst, plannable } from '../../../src/cli/plannable.ts'
import { plannedAct, plannedUsage } from '../../../src/cli/planned-command.ts'
import { readCommandLine } from '../../../src/cli/program.ts'
import * as rm from '../../../src/cli/rm.ts'
import * as stop from '../../../src/cli/stop.ts'
import { stopOptions } from '../../../src/cli/stop-flags.ts'
import * as update from '../../../src/cli/update.ts'

const globals: GlobalOptions = { root: '/none', runRoot: '/none', configFile: '/none', debug: false }

type Module = { command(globals: GlobalOptions): Command | Promise<Command> }

async function read({ command }: Module, ...args: string[]) {
  const parsed = await command(globals)
  const line = await readCommandLine(parsed, 'minictr test', args, [])
  assert.ok(line !== 'help')
  return { ...line, parsed }
}

describe('a command line', () => {
  it('has flags before and behind the names, as in Docker', async () => {
    const { words, flags } = await read(rm, 'one', '-f', 'two', '--volumes')
    assert.deepEqual(words, ['one', 'two'])
    assert.deepEqual(flags, { force: true, volumes: true })
  })

  it('has switches that may say true or false', async () => {
    assert.deepEqual((await read(rm, '--force=true', 'x')).flags, { force: true })
    assert.deepEqual((await read(rm, '-f=false', 'x')).flags, { force: false })
    assert.deepEqual((await read(attach, 'x')).flags, { stdin: true, sigProxy: true })
    assert.deepEqual((await read(attach, '--sig-proxy=false', '--no-stdin', 'x')).flags, {
      stdin: false,
      sigProxy: false,
    })
    await assert.rejects(read(rm, '--force=maybe', 'x'), /invalid argument "maybe" for "-f, --force" flag/)
    assert.deepEqual((await read(rm, '--', '--force=true')).words, ['--force=true'])
  })

  it('is wrong in the words of Docker', async () => {
    await assert.rejects(read(rm), /^MinictrError: 'minictr test' requires at least 1 argument/)
    await assert.rejects(read(attach, 'a', 'b'), /^MinictrError: 'minictr test' requires 1 argument/)
    await assert.rejects(read(rm, '--forc', 'x'), /^MinictrError: unknown flag: --forc/)
    await assert.rejects(read(stop, 'x', '-t'), /^MinictrError: flag needs an argument: --timeout/)
  })

  it('may ask for help', async () => {
    assert.equal(await readCommandLine(await stop.command(globals), 'minictr test', ['--help'], []), 'help')
  })

  it('takes the flags of explain as well', async () => {
    const wants: { json?: boolean; only?: string } = {}
    const extra = [
      {
        title: '',
        flags: [
          { name: 'json', about: '', turn: (_: unknown, on: boolean) => Object.assign(wants, { json: on }) },
          {
            name: 'only',
            about: '',
            takes: 'step',
            set: (_: unknown, only: string) => Object.assign(wants, { only }),
          },
        ],
      },
    ]
    await readCommandLine(
      await stop.command(globals),
      'minictr test',
      ['--only', 'kill-process', 'x', '--json'],
      extra,
    )
    assert.deepEqual(wants, { json: true, only: 'kill-process' })
  })
})

describe('the flags of stop', () => {
  const options = async (...args: string[]) => stopOptions((await read(stop, ...args, 'x')).parsed)

  it('are a signal and a time, by their old name too', async () => {
    assert.deepEqual(await options('-s', 'INT', '-t', '3'), { signal: 'INT', timeoutSeconds: 3 })
    assert.deepEqual(await options('--time', '-1'), { timeoutSeconds: -1 })
    assert.deepEqual(await options(), {})
  })

  it('are refused where they are none', async () => {
    await assert.rejects(options('-s', 'FOO'), /^MinictrError: Invalid signal: FOO/)
    await assert.rejects(
      options('-t', 'x'),
      /invalid argument "x" for "-t, --timeout" flag: parsing "x": invalid syntax/,
    )
  })
})

describe('the flags of update', () => {
  it('are those of run that the kernel takes later, and --restart', () => {
    const names = update
      .command(globals)
      .options.filter(({ hidden }) => !hidden)
      .map(({ long }) => long)
    for (const name of [
      '--memory',
      '--memory-swap',
      '--memory-reservation',
      '--cpus',
      '--cpu-shares',
      '--restart',
    ]) {
      assert.ok(names.includes(name), name)
    }
    for (const name of ['--memory-swappiness', '--oom-kill-disable', '--kernel-memory'])
      assert.ok(!names.includes(name), name)
  })
})

describe('explain and script', () => {
  it('know every command that acts on a container by steps', () => {
    const expected = 'create exec kill pause rename restart rm run start stop unpause update'.split(' ')
    const networks = ['network connect', 'network disconnect']
    assert.deepEqual(Object.keys(plannable).sort(), [...expected, ...networks].sort())
  })

  it('find a name of two words at the beginning of a line', () => {
    const found = namedFirst(['network', 'connect', '--alias', 'db', 'back', 'web'])
    assert.deepEqual(found, { name: 'network connect', rest: ['--alias', 'db', 'back', 'web'] })
    assert.deepEqual(namedFirst(['stop', 'network']), { name: 'stop', rest: ['network'] })
    assert.deepEqual(
      [namedFirst(['network', 'ls']), namedFirst(['network']), namedFirst([])],
      Array(3).fill(undefined),
    )
  })

  it('name all of them where none of them is meant', async () => {
    for (const line of ['network', 'network ls', 'toString']) {
      await assert.rejects(plannedAct('explain', line.split(' '), globals), ({ message }: Error) => {
        assert.match(
          message,
          /^'minictr explain' is followed by 'run', .*'network connect' or 'network disconnect', not by '/,
        )
        return message.includes(`not by '${line}'`)
      })
    }
    assert.match(
      plannedUsage('script'),
      /^ {8}minictr script network connect \[OPTIONS\] NETWORK CONTAINER$/m,
    )
  })
})
