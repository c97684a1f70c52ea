// The program as it is started: global options, help, one error on standard error, exit statuses.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { CommandEntry } from '../../../src/cli/command.ts'
import { groups, sections } from '../../../src/cli/commands.ts'
import { explain } from '../../../src/cli/failure.ts'
import { parseGlobals } from '../../../src/cli/globals.ts'
import { nearest } from '../../../src/cli/nearest.ts'
import { MinictrError } from '../../../src/system/error.ts'

const main = join(import.meta.dirname, '../../../src/main.ts')

function minictr(...args: string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
  return { stdout, stderr, status }
}

describe('minictr', () => {
  it('without a command prints its help', () => {
    const { stdout, status } = minictr()
    assert.equal(status, 0)
    assert.match(stdout, /^Usage: {2}minictr \[OPTIONS\] COMMAND/)
    for (const name of sections.flatMap(({ commands }) => Object.keys(commands))) {
      assert.match(stdout, new RegExp(`^  ${name} `, 'm'))
    }
  })

  it('prints its version', () => assert.match(minictr('-v').stdout, /^minictr version \d+\.\d+\.\d+\n$/))

  it('takes an empty format for none', () =>
    assert.deepEqual(minictr('version', '--format', ''), minictr('version')))

  it('says what is wrong in one line, and what to do in another', () => {
    assert.deepEqual(minictr('rnu'), {
      stdout: '',
      stderr: "minictr: unknown command: minictr rnu (did you mean 'minictr run'?)\nSee 'minictr --help'.\n",
      status: 1,
    })
    assert.deepEqual(minictr('--nope', 'run'), {
      stdout: '',
      stderr: "minictr: unknown flag: --nope\nSee 'minictr --help'.\n",
      status: 125,
    })
  })

  it('refuses by name what Docker has besides', () => {
    for (const name of ['build', 'push', 'service', 'stack'])
      assert.match(minictr(name).stderr, new RegExp(`^minictr: Docker's '${name}' is not in minictr yet\n`))
  })

  it('knows Docker’s other names of commands', () => {
    for (const group of ['container', 'image', 'network', 'volume']) {
      assert.match(minictr(group, 'list', '--help').stdout, /^Usage: {2}minictr /)
      const { stderr } = minictr(group, 'remove')
      assert.equal(stderr.split('\n')[0], `minictr: 'minictr ${group} rm' requires at least 1 argument`)
    }
  })

  it('ends with 125 where run itself fails', () => {
    assert.deepEqual(minictr('run', '--nope'), {
      stdout: '',
      stderr: "minictr: unknown flag: --nope\nSee 'minictr run --help'.\n",
      status: 125,
    })
    assert.equal(minictr('run').status, 1, 'as Docker’s')
  })

  it('tells commander’s errors in Docker’s words', () => {
    const cases: [args: string[], message: string, status: number][] = [
      [['pull'], "'minictr pull' requires 1 argument", 1],
      [['pull', 'a', 'b'], "'minictr pull' requires 1 argument", 1],
      [['rmi'], "'minictr rmi' requires at least 1 argument", 1],
      [['pull', '--nope', 'a'], 'unknown flag: --nope', 125],
      [['pull', '-Z', 'a'], "unknown shorthand flag: 'Z' in -Z", 125],
      [['pull', 'a', '--platform'], 'flag needs an argument: --platform', 125],
    ]
    for (const [args, message, status] of cases) {
      const outcome = minictr(...args)
      assert.equal(outcome.stderr, `minictr: ${message}\nSee 'minictr ${args[0]} --help'.\n`)
      assert.equal(outcome.status, status)
    }
  })

  it('takes values of switches, as Docker does', () => {
    const roots = ['--root', '/nowhere', '--run-root', '/nowhere']
    for (const flags of [['--quiet=true'], ['-q=1', '--no-trunc=false'], ['--all=false', '-q']]) {
      assert.deepEqual(
        minictr(...roots, 'ps', ...flags),
        { status: 0, stdout: '', stderr: '' },
        flags.join(' '),
      )
    }
    assert.match(minictr(...roots, 'ps', '--quiet=false').stdout, /^CONTAINER ID /)
    const { status, stderr } = minictr(...roots, 'ps', '--all=maybe')
    assert.equal(status, 125)
    assert.equal(
      stderr,
      'minictr: invalid argument "maybe" for "-a, --all" flag: "maybe" is neither true nor false\n',
    )
  })

  it('tells its version as data', () => {
    const version = minictr('version', '--format', '{{.Server.Version}}').stdout
    assert.equal(`minictr version ${version}`, minictr('-v').stdout)
    assert.equal(`${JSON.parse(minictr('version', '--format', 'json').stdout).Client.Version}\n`, version)
    assert.match(minictr('version').stdout, /^minictr:\n Version: +\d/)
  })

  it('has examples for every command that commander reads', async () => {
    const entries: [name: string, entry: CommandEntry][] = sections.flatMap(({ commands }) =>
      Object.entries(commands),
    )
    for (const [name, group] of Object.entries(groups)) {
      for (const [each, entry] of Object.entries(group.commands)) entries.push([`${name} ${each}`, entry])
    }
    for (const [name, { load }] of entries) {
      const module = await load()
      if (!('command' in module)) continue
      const command = await module.command({ root: '', runRoot: '', configFile: '', debug: false })
      let help = ''
      command.configureOutput({
        writeOut: text => {
          help += text
        },
      })
      command.outputHelp()
      assert.match(help, /\nExamples:\n {2}(?:source <\()?minictr /, name)
    }
  })

  it('explains a command in three ways', () => {
    const { stdout } = minictr('run', '--help')
    assert.match(stdout, /--cap-add <list> +Add Linux capabilities/)
    assert.equal(minictr('help', 'run').stdout, stdout)
    assert.equal(minictr('--help', 'run').stdout, stdout)
  })

  it('knows commands about containers by two names, and by Docker’s other ones', () => {
    const { stdout } = minictr('container', 'ls', '--help')
    assert.match(stdout, /^Usage: {2}minictr container ls \[OPTIONS\]/)
    for (const name of ['ps', 'list']) assert.equal(minictr('container', name, '--help').stdout, stdout)
    assert.match(
      minictr('container', 'rm').stderr,
      /^minictr: 'minictr container rm' requires at least 1 argument\n/,
    )
    assert.equal(minictr('container', 'run').status, minictr('run').status)
  })

  it('lists the commands of a group', () => {
    assert.match(minictr('image').stdout, /^Usage: {2}minictr image COMMAND[\s\S]*from-host/)
    assert.equal(minictr('image', '--help').stdout, minictr('image').stdout)
    assert.match(minictr('image', '--nope').stderr, /^minictr: unknown flag: --nope\n/)
    assert.match(minictr('image', 'nope').stderr, /^minictr: unknown command: minictr image nope\n/)
  })

  it('refuses by name what only Docker has', () => {
    assert.deepEqual(minictr('commit', 'web', 'mine'), {
      status: 1,
      stdout: '',
      stderr: "minictr: Docker's 'commit' is not in minictr yet\nSee 'minictr --help' for those it has.\n",
    })
    assert.match(
      minictr('container', 'commit').stderr,
      /^minictr: Docker's 'container commit' is not in minictr yet\n/,
    )
    assert.match(minictr('image', 'tag').stderr, /^minictr: Docker's 'image tag' is not in minictr yet\n/)
  })

  it('shows where an error happened only with --debug', () => {
    assert.doesNotMatch(minictr('run', '--nope').stderr, /at /)
    assert.match(minictr('--debug', 'run', '--nope').stderr, /at readFlags /)
  })

  it('ends quietly when nobody reads on', async () => {
    const child = spawn(process.execPath, [main, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let stderr = ''
    child.stderr.on('data', chunk => {
      stderr += chunk
    })
    const [status] = await once(child, 'close')
    assert.equal(stderr, '')
    assert.equal(status, 141)
  })
})

describe('global options', () => {
  it('have defaults', () => {
    assert.deepEqual(parseGlobals(['run', '--debug']), {
      globals: {
        root: '/var/lib/minictr',
        runRoot: '/run/minictr',
        configFile: '/etc/minictr/config.json',
        debug: false,
      },
      wants: 'command',
      words: ['run', '--debug'],
    })
  })

  it('come before the command, relative paths from here', () => {
    const { globals } = parseGlobals(['--root', 'a', '--run-root=/b', '--config', '/c=d', '--debug', 'run'])
    assert.deepEqual(globals, {
      root: join(process.cwd(), 'a'),
      runRoot: '/b',
      configFile: '/c=d',
      debug: true,
    })
  })

  it('need their values', () => {
    assert.throws(() => parseGlobals(['--root']), { message: 'flag needs an argument: --root' })
    assert.throws(() => parseGlobals(['--root=', 'run']), { message: 'flag needs an argument: --root' })
  })
})

describe('an error', () => {
  const error = new MinictrError('it failed', { remedy: 'Try again.', cause: new Error('inside') })

  it('is a line, and a line to act on', () => {
    assert.equal(explain(error, false, false), 'minictr: it failed\nTry again.\n')
  })

  it('has a red name on a terminal', () => {
    assert.equal(explain(new MinictrError('no'), false, true), '\x1b[1;31mminictr:\x1b[0m no\n')
  })

  it('says with --debug what caused it', () => {
    assert.match(explain(error, true, false), /MinictrError: it failed\n[\s\S]*caused by Error: inside\n/)
  })

  it('of the kernel has a line to act on too', () => {
    const { stderr } = minictr('--root', import.meta.filename, 'images')
    assert.match(stderr, /^minictr: ENOTDIR: .*\nSome part of that path is a file/)
    // Not root is what most people are at first.
    const refused = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    assert.equal(/use sudo/.test(explain(refused, false, false)), process.getuid?.() !== 0)
  })

  it('that nobody foresaw says so', () => {
    assert.match(
      explain(new TypeError('oops'), false, false),
      /^minictr: oops\nThis is an error minictr has no words for/,
    )
  })
})

describe('the nearest name', () => {
  const names = ['run', 'pull', 'images', 'inspect']
  const cases: [typed: string, meant: string | undefined][] = [
    ['rnu', 'run'],
    ['rn', 'run'],
    ['pul', 'pull'],
    ['image', 'images'],
    ['inpsect', 'inspect'],
    ['frobnicate', undefined],
    ['x', undefined],
  ]
  for (const [typed, meant] of cases) {
    it(`to ${typed} is ${meant ?? 'none'}`, () => assert.equal(nearest(typed, names), meant))
  }
})
