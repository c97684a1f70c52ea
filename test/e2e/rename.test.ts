// rename: another name, in such an order that the container always has one, whoever is killed.

import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, it } from 'node:test'
import { executable } from '../fixtures/command-line.ts'
import { atTerminal } from '../fixtures/terminal.ts'
import { namesIn, useDebian } from './debian.ts'
import { detached, eventsOf, stateOf } from './detached.ts'

const debian = useDebian()

afterEach(async () => {
  const { stdout } = await debian.minictr('ps', '-aq')
  if (stdout !== '') await debian.minictr('rm', '-f', ...stdout.trim().split('\n'))
})

const names = () => namesIn(join(debian.store().root, 'names')).sort()
const create = async (name: string) =>
  (
    await debian.minictr('create', '--name', name, '--network', 'none', debian.store().image, 'true')
  ).stdout.trim()

describe('rename', () => {
  it('gives another name, and the old one back, while the container runs', async () => {
    const id = await detached(debian, 'old')
    assert.deepEqual(await debian.minictr('rename', 'old', 'new'), { status: 0, stdout: '', stderr: '' })
    assert.deepEqual(names(), ['new'])
    assert.equal(await stateOf(debian, 'new'), 'Up')
    assert.equal(await stateOf(debian, 'old'), 'none')
    assert.equal(eventsOf(debian, id).at(-1), 'rename oldName=/old')
    assert.equal((await debian.minictr('exec', 'new', 'true')).status, 0)
    await create('old')
    assert.equal((await debian.minictr('rm', '-f', 'new')).status, 0)
    assert.deepEqual(names(), ['old'])
  })

  it('takes an id, and a slash before a name, as Docker does', async () => {
    const id = await create('old')
    assert.equal((await debian.minictr('rename', id.slice(0, 12), '/new')).status, 0)
    assert.equal((await debian.minictr('rename', '/new', 'newer')).status, 0)
    assert.deepEqual(names(), ['newer'])
  })

  it('takes no name that is taken, its own, or none', async () => {
    await create('one')
    const other = await create('two')
    for (const [wanted, said] of [
      [
        'two',
        `Error when allocating new name: Conflict. The container name "/two" is already in use by container "${other}". You have to remove (or rename) that container to be able to reuse that name.`,
      ],
      ['one', 'Renaming a container with the same name as its current name'],
      [
        'a/b',
        'Error when allocating new name: Invalid container name (a/b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
      ],
      ['', 'Neither old nor new names may be empty'],
    ] as const) {
      const { status, stdout, stderr } = await debian.minictr('rename', 'one', wanted)
      assert.deepEqual({ status, stdout }, { status: 1, stdout: '' })
      assert.equal(stderr.split('\n')[0], `minictr: ${said}`)
    }
    assert.match(
      (await debian.minictr('rename', 'nosuch', 'x1')).stderr,
      /^minictr: No such container: nosuch\n/,
    )
    assert.deepEqual(names(), ['one', 'two'])
  })

  it('of two at once to one name, one is refused, and each container has its name', async () => {
    await Promise.all(['one', 'two'].map(create))
    const outcomes = await Promise.all(['one', 'two'].map(name => debian.minictr('rename', name, 'wanted')))
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), [0, 1])
    const loser = outcomes[0]!.status === 0 ? 'two' : 'one'
    assert.deepEqual(names(), [loser, 'wanted'].sort())
  })

  it('of one container to two names at once ends with one of them', async () => {
    await create('old')
    const outcomes = await Promise.all(['first', 'second'].map(name => debian.minictr('rename', 'old', name)))
    assert.ok(outcomes.some(({ status }) => status === 0))
    assert.equal(names().length, 1)
    assert.equal(await stateOf(debian, names()[0]!), 'Created')
  })
})

describe('a rename that is killed before any of its steps', () => {
  for (const step of ['lock-container', 'claim-name', 'write-new-name', 'give-back-name']) {
    it(`${step}: the container has a name that works, and no other name is lost`, async () => {
      const id = await create('old')
      const { globals, root } = debian.store()
      const rename = ['rename', '--step', 'old', 'new']
      const session = atTerminal([executable, ...globals, ...rename])
      for (;;) {
        const found = await session.see(/\d\/4 {2}\S+/)
        await session.see('help > ')
        if (found.endsWith(step)) break
        session.type('')
      }
      killRename()
      await session.end()
      const { name } = JSON.parse(readFileSync(join(root, 'containers', id, 'container.json'), 'utf8'))
      assert.equal(name, step === 'give-back-name' ? 'new' : 'old')
      assert.equal(await stateOf(debian, name), 'Created')
      assert.equal((await debian.minictr('start', name)).status, 0)
      assert.deepEqual(names(), [name], 'the next command has given back what was left')
    })
  }

  /** The process, by its own arguments in this store. */
  function killRename(): void {
    const { root } = debian.store()
    for (const pid of namesIn('/proc').filter(each => /^\d+$/.test(each))) {
      const words = cmdlineOf(pid)
      if (words[0] === process.execPath && words.includes(root) && words.includes('rename')) {
        process.kill(Number(pid), 'SIGKILL')
      }
    }
  }

  function cmdlineOf(pid: string): string[] {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    } catch {
      return []
    }
  }
})

describe('system recover', () => {
  it('gives back names of containers that are gone, and removes what a removal has left', async () => {
    const { root } = debian.store()
    await create('kept')
    const id = await create('cut')
    // A removal that was cut short has taken some of the files.
    writeFileSync(join(root, 'containers', id, 'upper', 'file'), 'text')
    rmSync(join(root, 'containers', id, 'container.json'))
    writeFileSync(join(root, 'names', 'nobody'), 'ab'.repeat(32))
    assert.deepEqual(names(), ['cut', 'kept', 'nobody'])
    assert.deepEqual(await debian.minictr('system', 'recover'), { status: 0, stdout: '', stderr: '' })
    assert.deepEqual(names(), ['kept'])
    assert.equal(namesIn(join(root, 'containers')).length, 1)
  })
})
