// Where a container's log goes: its own wish over the configuration file's, in Docker's words where it cannot be.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parseRun } from '../../../src/cli/run-flags.ts'
import { chooseLog } from '../../../src/containers/log-options.ts'

let directory = ''
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'minictr-log-options-'))
})
after(() => rmSync(directory, { recursive: true }))

/** A configuration file of this content. */
function configuration(content: object): string {
  const file = join(directory, 'config.json')
  writeFileSync(file, JSON.stringify(content))
  return file
}

describe('the log of a container', () => {
  it('is one endless json-file, unless asked otherwise', () => {
    assert.deepEqual(chooseLog({}, configuration({})), { driver: 'json-file', maxFiles: 1 })
    assert.deepEqual(chooseLog({ maxBytes: 5, maxFiles: 3 }, configuration({})), {
      driver: 'json-file',
      maxBytes: 5,
      maxFiles: 3,
    })
  })

  it('takes what it leaves open from the configuration file, if that is of the same driver', () => {
    const file = configuration({
      'log-driver': 'json-file',
      'log-opts': { 'max-size': '2k', 'max-file': '4' },
    })
    assert.deepEqual(chooseLog({ maxFiles: 2 }, file), { driver: 'json-file', maxBytes: 2000, maxFiles: 2 })
    assert.deepEqual(chooseLog({ driver: 'none' }, file), { driver: 'none', maxFiles: 1 })
    const none = configuration({ 'log-driver': 'none' })
    assert.deepEqual(chooseLog({}, none), { driver: 'none', maxFiles: 1 })
    assert.deepEqual(chooseLog({ driver: 'json-file' }, none), { driver: 'json-file', maxFiles: 1 })
  })

  it('is refused where the configuration file makes no sense', () => {
    assert.throws(
      () => chooseLog({}, configuration({ 'log-opts': { colour: 'red' } })),
      /unknown log opt 'colour'/,
    )
    assert.throws(
      () => chooseLog({}, configuration({ 'log-opts': 'max-size=1' })),
      /is not an object such as/,
    )
    assert.throws(() => chooseLog({}, configuration({ 'log-driver': 5 })), /no log driver named '5'/)
  })
})

describe('a flag about the log', () => {
  const refused: [args: string[], words: RegExp][] = [
    [['--log-driver', 'nope'], /logger: no log driver named 'nope' is registered/],
    [['--log-driver', 'syslog'], /log driver 'syslog' is Docker's alone/],
    [['--log-opt', 'tag=x'], /unknown log opt 'tag' for json-file log driver/],
    [['--log-opt', 'max-file=0'], /max-file cannot be less than 1/],
    [['--log-opt', 'max-file=a'], /parsing "a": invalid syntax/],
    [['--log-opt', 'max-size=0'], /max-size must be a positive number/],
    [['--log-opt', 'max-size=10x'], /invalid size: '10x'/],
    [['--log-driver', 'none', '--log-opt', 'max-size=1k'], /invalid logging opts for driver none/],
  ]
  for (const [args, words] of refused) {
    it(`is refused: ${args.join(' ')}`, () => {
      assert.throws(() => parseRun([...args, 'image']), words)
    })
  }
})
