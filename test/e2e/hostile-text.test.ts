// An image whose configuration holds escape sequences: on a terminal all of it is text, and none steers the terminal.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { before, describe, it } from 'node:test'
import { executable } from '../fixtures/command-line.ts'
import { atTerminal } from '../fixtures/terminal.ts'
import { useDebian } from './debian.ts'
import { pullVariant } from './variant.ts'

const debian = useDebian()

const evil = '\x1b]0;owned\x07\x1b[2J\x9b31m\u202e'
/** What must not come out: any control character but line ends and tabs, and any that turns the direction of writing. */
const steering = /(?![\n\r\t])[\p{Cc}\p{Bidi_Control}]/u

let image: string

/** What the command shows on a terminal, without the styles of minictr's own. */
async function shown(...args: string[]): Promise<string> {
  const { globals } = debian.store()
  const { text } = await atTerminal([executable, ...globals, ...args]).end()
  return text
}

describe('an image with escape sequences in its configuration', () => {
  before(async () => {
    image = await pullVariant(debian, {
      Cmd: ['/bin/echo', evil],
      Env: [`EVIL=${evil}`],
      WorkingDir: `/tmp/${evil}`,
      Labels: { [`key${evil}`]: evil },
      Volumes: { [`/volume${evil}`]: {} },
    })
  })

  for (const command of [
    ['explain', 'run'],
    ['explain', 'run', '--json'],
    ['script', 'run'],
    ['image', 'inspect'],
    ['image', 'inspect', '-f', '{{.Config}} {{json .Config}}'],
  ]) {
    it(`is shown by ${command.join(' ')} with its characters spelled out`, async () => {
      const text = await shown(...command, image)
      assert.match(text, /owned/)
      assert.equal(steering.exec(text)?.[0], undefined, JSON.stringify(text))
    })
  }

  it('is shown so by ps, and by the error of a program that is not there', async () => {
    await debian.minictr('run', '--name', 'evil', image)
    const failure = await shown('run', '--rm', '--network', 'none', image, `/nosuch${evil}`)
    const list = await shown('ps', '-a')
    await debian.minictr('rm', 'evil')
    assert.match(list, /"\/bin\/echo \S.* evil\n/)
    assert.match(failure, /\/nosuch\\x1b\]0;owned/)
    for (const text of [list, failure])
      assert.equal(steering.exec(text)?.[0], undefined, JSON.stringify(text))
  })

  it('gives programs what it holds', async () => {
    const { stdout } = await debian.minictr('image', 'inspect', '-f', '{{index .Config.Cmd 1}}', image)
    assert.equal(stdout, `${evil}\n`)
    const json = JSON.parse((await debian.minictr('image', 'inspect', image)).stdout)
    assert.deepEqual(json[0].Config.Env, [`EVIL=${evil}`])
  })

  it('makes a script that a shell reads as it is meant', async () => {
    const { stdout } = await debian.minictr('script', 'run', image)
    assert.equal(spawnSync('sh', ['-n'], { input: stdout }).status, 0)
  })
})
