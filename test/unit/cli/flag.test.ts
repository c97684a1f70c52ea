// The reader of command lines, against the rules of Docker's (pflag): what is a flag, what is its value, where it ends.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FlagGroup, readFlags } from '../../../src/cli/flags/flag.ts'
import { MinictrError } from '../../../src/system/error.ts'

type Seen = [string, string | boolean][]

const groups: FlagGroup<Seen>[] = [
  {
    title: 'All',
    flags: [
      { name: 'interactive', short: 'i', about: '', turn: (seen, on) => seen.push(['interactive', on]) },
      { name: 'tty', short: 't', about: '', turn: (seen, on) => seen.push(['tty', on]) },
      { name: 'env', short: 'e', takes: 'list', about: '', set: (seen, value) => seen.push(['env', value]) },
      {
        name: 'size',
        takes: 'bytes',
        about: '',
        set: (_, value) => {
          throw new MinictrError(`invalid size: '${value}'`)
        },
      },
      { name: 'detach', short: 'd', about: '', refuses: 'not yet' },
      { name: 'link', takes: 'list', about: '', refuses: 'not at all' },
    ],
  },
]

function read(...args: string[]) {
  const seen: Seen = []
  const reading = readFlags(groups, args, seen, 'minictr try', 125)
  return { seen, ...reading }
}

function messageOf(...args: string[]): string {
  try {
    read(...args)
  } catch (error) {
    assert.ok(error instanceof MinictrError)
    assert.equal(error.exitStatus, 125)
    return error.message
  }
  return assert.fail(`${args.join(' ')} was accepted`)
}

describe('a command line', () => {
  const accepted: [line: string[], seen: Seen][] = [
    [[], []],
    [['-i'], [['interactive', true]]],
    [
      ['-it'],
      [
        ['interactive', true],
        ['tty', true],
      ],
    ],
    [['--tty'], [['tty', true]]],
    [['--tty=false'], [['tty', false]]],
    [['-t=0'], [['tty', false]]],
    [['--env', 'A=1'], [['env', 'A=1']]],
    [['--env=A=1'], [['env', 'A=1']]],
    [['--env='], [['env', '']]],
    [['-e', 'A=1'], [['env', 'A=1']]],
    [['-eA=1'], [['env', 'A=1']]],
    [['-e=A'], [['env', 'A']]],
    [
      ['-ite', 'A'],
      [
        ['interactive', true],
        ['tty', true],
        ['env', 'A'],
      ],
    ],
    [
      ['-iteA'],
      [
        ['interactive', true],
        ['tty', true],
        ['env', 'A'],
      ],
    ],
    [['--env', '--tty'], [['env', '--tty']]],
    [['-e', '-i'], [['env', '-i']]],
  ]
  for (const [line, seen] of accepted) {
    it(`reads ${line.join(' ') || 'nothing'}`, () => assert.deepEqual(read(...line).seen, seen))
  }

  it('ends at the first word that is no flag, and leaves the rest alone', () => {
    assert.deepEqual(read('-i', 'image', '-t', '--env'), {
      seen: [['interactive', true]],
      asksForHelp: false,
      words: ['image', '-t', '--env'],
    })
  })

  it('ends at --, which itself is dropped', () => {
    assert.deepEqual(read('-i', '--', '-t').words, ['-t'])
  })

  it('takes a lone dash for a word', () => assert.deepEqual(read('-').words, ['-']))

  it('stops at --help, before what follows can be wrong', () => {
    assert.equal(read('-i', '--help', '--nonsense').asksForHelp, true)
  })

  it('takes --help after the first word for an argument of the command', () => {
    assert.equal(read('image', '--help').asksForHelp, false)
  })
})

describe('a wrong command line', () => {
  const wrong: [line: string[], message: string | RegExp][] = [
    [['--nope'], 'unknown flag: --nope'],
    [['--nope=1'], 'unknown flag: --nope'],
    [['--detatch'], 'unknown flag: --detatch (did you mean --detach?)'],
    [['--evn', 'A=1'], 'unknown flag: --evn (did you mean --env?)'],
    [['-Z'], "unknown shorthand flag: 'Z' in -Z"],
    [['-iZt'], "unknown shorthand flag: 'Z' in -Zt"],
    [['--env'], 'flag needs an argument: --env'],
    [['-ite'], "flag needs an argument: 'e' in -e"],
    [['--tty=maybe'], 'invalid argument "maybe" for "-t, --tty" flag: "maybe" is neither true nor false'],
    [['--size', 'x'], 'invalid argument "x" for "--size" flag: invalid size: \'x\''],
    [['-d'], '--detach: not yet'],
    [['-itd'], '--detach: not yet'],
    [['--detach=false'], '--detach: not yet'],
    [['--link', 'a:b'], '--link a:b: not at all'],
    [['--link=a:b'], '--link a:b: not at all'],
  ]
  for (const [line, message] of wrong) {
    it(`${line.join(' ')}: ${message}`, () => assert.equal(messageOf(...line), message))
  }

  it('says where to read more', () => {
    assert.throws(() => read('--nope'), { remedy: "See 'minictr try --help'." })
  })
})
