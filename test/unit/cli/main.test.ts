// The program as it is started: global options, help, one error on standard error, exit statuses.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { sections } from '../../../src/cli/commands.ts'
import { explain } from '../../../src/cli/failure.ts'
import { parseGlobals } from '../../../src/cli/globals.ts'
import { nearest } from '../../../src/cli/help.ts'
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

  it('says what is wrong in one line, and what to do in another', () => {
    assert.deepEqual(minictr('rnu'), {
      stdout: '',
      stderr: "minictr: unknown command: minictr rnu (did you mean 'minictr run'?)\nSee 'minictr --help'.\n",
      status: 1,
    })
    assert.deepEqual(minictr('--nope', 'run'), {
      stdout: '',
      stderr: "minictr: unknown flag: --nope\nSee 'minictr --help'.\n",
      status: 1,
    })
  })

  it('ends with 125 where run itself fails', () => {
    assert.deepEqual(minictr('run', '--nope'), {
      stdout: '',
      stderr: "minictr: unknown flag: --nope\nSee 'minictr run --help'.\n",
      status: 125,
    })
    assert.equal(minictr('run').status, 125)
  })

  it('tells commander’s errors in Docker’s words', () => {
    const cases: [args: string[], message: string][] = [
      [['pull'], "'minictr pull' requires 1 argument"],
      [['pull', 'a', 'b'], "'minictr pull' requires 1 argument"],
      [['rmi'], "'minictr rmi' requires at least 1 argument"],
      [['pull', '--nope', 'a'], 'unknown flag: --nope'],
      [['pull', '-Z', 'a'], "unknown shorthand flag: 'Z' in -Z"],
      [['pull', 'a', '--platform'], 'flag needs an argument: --platform'],
    ]
    for (const [args, message] of cases) {
      const { stderr, status } = minictr(...args)
      assert.equal(stderr, `minictr: ${message}\nSee 'minictr ${args[0]} --help'.\n`)
      assert.equal(status, 1)
    }
  })

  it('explains a command in three ways', () => {
    const { stdout } = minictr('run', '--help')
    assert.match(stdout, /--cap-add <list> +Add Linux capabilities/)
    assert.equal(minictr('help', 'run').stdout, stdout)
    assert.equal(minictr('--help', 'run').stdout, stdout)
  })

  it('lists the commands of a group', () => {
    assert.match(minictr('image').stdout, /^Usage: {2}minictr image COMMAND[\s\S]*from-host/)
    assert.equal(minictr('image', '--help').stdout, minictr('image').stdout)
    assert.match(minictr('image', '--nope').stderr, /^minictr: unknown flag: --nope\n/)
    assert.match(minictr('image', 'nope').stderr, /^minictr: unknown command: minictr image nope\n/)
  })

  it('refuses by name what only Docker has', () => {
    assert.deepEqual(minictr('exec', '-it', 'web', 'sh'), {
      status: 1,
      stdout: '',
      stderr: "minictr: Docker's 'exec' is not in minictr yet\nSee 'minictr --help' for those it has.\n",
    })
    assert.match(minictr('version').stderr, /\nIts version: minictr --version\n$/)
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
