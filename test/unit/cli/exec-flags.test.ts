// The command line of exec, and the keys that detach.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseExec } from '../../../src/cli/exec-flags.ts'
import { parseDetachKeys } from '../../../src/cli/flags/detach-keys.ts'

function parsed(line: string) {
  const options = parseExec(line.split(' '))
  if (options === 'help') assert.fail('help was not asked for')
  return options
}

describe('the flags of exec', () => {
  it('end at the first word that is none', () => {
    const { container, command, interactive } = parsed('-i box ls -it --user x')
    assert.deepEqual(
      { container, command, interactive },
      { container: 'box', command: ['ls', '-it', '--user', 'x'], interactive: true },
    )
  })

  it('say what the program gets', () => {
    const { tty, detach, privileged, user, workingDirectory, environment } = parsed(
      '-dt --privileged -u 5:6 -w /srv -e A=1 -eB=2 box true',
    )
    assert.deepEqual(
      { tty, detach, privileged, user, workingDirectory, environment },
      {
        tty: true,
        detach: true,
        privileged: true,
        user: '5:6',
        workingDirectory: '/srv',
        environment: ['A=1', 'B=2'],
      },
    )
  })

  it('are refused with Docker’s statuses', () => {
    assert.throws(() => parseExec(['--nope', 'box', 'true']), {
      exitStatus: 125,
      message: 'unknown flag: --nope',
    })
    assert.throws(() => parseExec(['box']), { exitStatus: 1, message: /requires at least 2 arguments/ })
    assert.throws(() => parseExec(['--detach-keys', 'ctrl-', 'box', 'true']), { exitStatus: 1 })
  })
})

describe('keys that detach', () => {
  for (const [text, bytes] of [
    ['', [16, 17]],
    ['ctrl-p,ctrl-q', [16, 17]],
    ['a', [97]],
    ['ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_', [0, 27, 28, 29, 30, 31]],
    ['ctrl-a,x,DEL', [1, 120, 127]],
  ] as [string, number[]][]) {
    it(`${JSON.stringify(text)} are the bytes ${bytes}`, () => {
      assert.deepEqual([...parseDetachKeys(text)], bytes)
    })
  }

  for (const text of ['ctrl-', 'ctrl-1', 'ctrl-A', 'ab', 'a,,b', Array(17).fill('a').join(',')]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseDetachKeys(text), /Invalid escape keys/)
    })
  }
})
