// Which program runs and in which environment, by Docker's rules for ENTRYPOINT, CMD and ENV.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_PATH, programEnvironment, programParts } from '../../../src/containers/program.ts'

describe('the program', () => {
  const image = { config: { Entrypoint: ['/entry', '-x'], Cmd: ['default'] } }
  const cases: [what: string, options: { command: string[]; entrypoint?: string[] }, args: string[]][] = [
    ['is ENTRYPOINT with CMD', { command: [] }, ['/entry', '-x', 'default']],
    ['is ENTRYPOINT with the command given', { command: ['a', 'b'] }, ['/entry', '-x', 'a', 'b']],
    ['is a new entrypoint without CMD', { command: [], entrypoint: ['sh'] }, ['sh']],
    [
      'is a new entrypoint with the command given',
      { command: ['-c', 'ls'], entrypoint: ['sh'] },
      ['sh', '-c', 'ls'],
    ],
    ['is the command alone where the entrypoint was taken away', { command: ['ls'], entrypoint: [] }, ['ls']],
  ]
  for (const [what, options, args] of cases) {
    it(what, () => {
      const { entrypoint, command } = programParts(options, image)
      assert.deepEqual([...entrypoint, ...command], args)
    })
  }

  it('is missing where neither image nor user names one', () => {
    const missing = { message: 'No command specified' }
    assert.throws(() => programParts({ command: [] }, {}), missing)
    assert.throws(() => programParts({ command: [], entrypoint: [] }, image), missing)
    assert.throws(() => programParts({ command: [] }, { config: { Entrypoint: null, Cmd: null } }), missing)
  })
})

describe('the environment', () => {
  const place = { hostname: 'web', home: '/root' }
  const environment = (variables: string[], image: string[] = [], tty = false) =>
    programEnvironment({ environment: variables, tty }, { config: { Env: image } }, place)

  const cases: [what: string, user: string[], image: string[], expected: string[]][] = [
    [
      'begins with PATH and HOSTNAME and ends with HOME',
      [],
      [],
      [`PATH=${DEFAULT_PATH}`, 'HOSTNAME=web', 'HOME=/root'],
    ],
    [
      'takes the image’s PATH in place',
      [],
      ['PATH=/bin', 'A=1'],
      ['PATH=/bin', 'HOSTNAME=web', 'A=1', 'HOME=/root'],
    ],
    [
      'puts the user’s variables before the image’s',
      ['B=2'],
      ['PATH=/bin', 'A=1'],
      ['PATH=/bin', 'HOSTNAME=web', 'B=2', 'A=1', 'HOME=/root'],
    ],
    [
      'prefers the user’s value',
      ['A=2'],
      ['PATH=/bin', 'A=1'],
      ['PATH=/bin', 'HOSTNAME=web', 'A=2', 'HOME=/root'],
    ],
    ['drops what has no value', ['A', 'HOSTNAME'], ['PATH=/bin', 'A=1'], ['PATH=/bin', 'HOME=/root']],
    [
      'keeps the last of equal names',
      ['A=1', 'A=2'],
      ['PATH=/bin'],
      ['PATH=/bin', 'HOSTNAME=web', 'A=2', 'HOME=/root'],
    ],
    [
      'keeps equals signs and empty values',
      ['A=b=c', 'B='],
      ['PATH=/bin'],
      ['PATH=/bin', 'HOSTNAME=web', 'A=b=c', 'B=', 'HOME=/root'],
    ],
    ['keeps a HOME that is there', ['HOME=/tmp'], ['PATH=/bin'], ['PATH=/bin', 'HOSTNAME=web', 'HOME=/tmp']],
    ['fills an empty HOME', ['HOME='], ['PATH=/bin'], ['PATH=/bin', 'HOSTNAME=web', 'HOME=/root']],
  ]
  for (const [what, user, image, expected] of cases) {
    it(what, () => assert.deepEqual(environment(user, image), expected))
  }

  it('has a TERM with a terminal, unless the user has another', () => {
    assert.deepEqual(environment([], ['PATH=/bin'], true), [
      'PATH=/bin',
      'HOSTNAME=web',
      'TERM=xterm',
      'HOME=/root',
    ])
    assert.ok(environment(['TERM=vt100'], [], true).includes('TERM=vt100'))
  })
})
