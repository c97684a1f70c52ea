// An image that is removed while a container of it is being made: it stays for that container, or the run says so.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { executable, minictr } from '../fixtures/command-line.ts'
import { atTerminal, type Session } from '../fixtures/terminal.ts'
import { namesIn } from './debian.ts'

type Store = { root: string; command(...args: string[]): ReturnType<typeof minictr>; step(): Session }

async function store(t: TestContext): Promise<Store> {
  const base = mkdtempSync(join(tmpdir(), 'minictr-in-use-'))
  t.after(() => rmSync(base, { recursive: true, force: true }))
  const root = join(base, 'root')
  const globals = ['--root', root, '--run-root', join(base, 'run')]
  const command = (...args: string[]) => minictr([...globals, ...args])
  const { status, stderr } = await command('image', 'from-host', '--quiet', 'tools', 'echo')
  assert.equal(status, 0, stderr)
  const run = ['run', '--step', '--rm', '--network', 'none', 'tools', '/bin/echo', 'it', 'runs']
  return { root, command, step: () => atTerminal([executable, ...globals, ...run]) }
}

async function goTo(session: Session, id: string): Promise<void> {
  for (;;) {
    const shown = await session.see(/^ +\d+\/\d+ +[a-z0-9-]+ [\s\S]*?help > /m)
    if (shown.includes(` ${id} `)) return
    session.type('')
  }
}

const layersIn = ({ root }: Store) => readdirSync(join(root, 'layers')).filter(name => !name.startsWith('.'))

describe('rmi while a container is being made', () => {
  for (const id of ['create-container-directory', 'create-cgroup']) {
    it(`leaves the layers it uses, before step ${id}`, async t => {
      const tools = await store(t)
      const session = tools.step()
      await goTo(session, id)
      const { status } = await tools.command('rmi', '-f', 'tools')
      assert.equal(status, 0)
      assert.equal(layersIn(tools).length, 1)
      session.type('continue')
      await session.see(/^it runs$/m)
      assert.equal((await session.end()).status, 0)
      // Nobody needs them any more.
      assert.equal((await tools.command('image', 'from-host', '--quiet', 'other', 'ls')).status, 0)
      assert.equal((await tools.command('rmi', 'other')).status, 0)
      assert.deepEqual(layersIn(tools), [])
    })
  }

  it('is an error that says so, where it comes first', async t => {
    const tools = await store(t)
    const session = tools.step()
    await goTo(session, 'claim-name')
    const { status } = await tools.command('rmi', 'tools')
    assert.equal(status, 0)
    assert.deepEqual(layersIn(tools), [])
    session.type('continue')
    const { text, status: runStatus } = await session.end()
    assert.equal(runStatus, 125)
    assert.match(
      text,
      /keep-image\) failed: access\(.*\) = ENOENT\s+Likely cause: the image was removed after/,
    )
    assert.deepEqual(namesIn(join(tools.root, 'containers')), [])
    assert.deepEqual(namesIn(join(tools.root, 'names')), [])
  })
})
