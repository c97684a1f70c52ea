// scripts/demo does what it says, twice, and cleans up, also when it is interrupted.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'

const demo = resolve(import.meta.dirname, '../../scripts/demo')

describe('scripts/demo', { skip: process.getuid!() !== 0 && 'needs root: it runs a container' }, () => {
  let temporary: string
  before(() => {
    temporary = mkdtempSync(join(tmpdir(), 'demo-'))
  })
  after(() => rmSync(temporary, { recursive: true }))
  const environment = () => ({ ...process.env, TMPDIR: temporary })

  for (const time of ['once', 'and once more']) {
    it(`makes, serves, pulls, explains and runs an image, ${time}`, () => {
      const { status, stdout, stderr } = spawnSync(demo, { env: environment(), encoding: 'utf8' })
      assert.equal(status, 0, stdout + stderr)
      assert.match(stdout, /Status: Downloaded newer image for 127\.0\.0\.1:\d+\/hello:latest/)
      assert.match(stdout, /pivot_root/, 'the plan is shown')
      assert.match(stdout, /^I am process 1 on demo,/m, 'the container is the demo’s, in its own namespaces')
      assert.deepEqual(readdirSync(temporary), [])
    })
  }

  it('stops its server and removes its files when it is interrupted', async () => {
    const child = spawn(demo, { env: environment(), stdio: ['ignore', 'pipe', 'ignore'] })
    let said = ''
    child.stdout.on('data', text => {
      said += text
      if (said.includes('Serving ')) child.kill('SIGTERM')
    })
    const [status] = await once(child, 'close')
    assert.equal(status, 143, said)
    assert.deepEqual(readdirSync(temporary), [])
    const server = /http:\/\/127\.0\.0\.1:\d+/.exec(said)
    assert.ok(server, said)
    await assert.rejects(fetch(`${server[0]}/v2/`), 'the server has ended')
  })
})
