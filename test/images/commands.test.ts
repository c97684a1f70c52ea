// images, image inspect, image from-host and rmi as a person types them. Needs root.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { minictr } from '../fixtures/command-line.ts'

describe('the commands on images', () => {
  const root = mkdtempSync(join(tmpdir(), 'minictr-commands-'))
  const run = (...args: string[]) => minictr(['--root', root, '--run-root', join(root, 'run'), ...args])
  const out = async (...args: string[]) => {
    const { status, stdout, stderr } = await run(...args)
    assert.equal(status, 0, stderr)
    return stdout
  }
  let id: string
  before(async () => {
    id = (await out('image', 'from-host', '--quiet', 'tools:v1', 'cat', 'ls')).trim()
    assert.match(id, /^sha256:[0-9a-f]{64}$/)
    assert.match(
      await out('image', 'from-host', 'localhost:5000/other/name', 'ls'),
      /^localhost:5000\/other\/name:latest: digest: sha256:/,
    )
  })
  after(() => rmSync(root, { recursive: true, force: true }))

  it('images lists names, ids, age and size in Docker’s columns', async () => {
    const lines = (await out('images')).trimEnd().split('\n')
    assert.equal(lines.length, 3)
    assert.match(lines[0]!, /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$/)
    assert.match(
      await out('images'),
      new RegExp(`^tools +v1 +${id.slice(7, 19)} +(?!5\\d years)\\S.* ago +[\\d.]+MB$`, 'm'),
    )
    assert.match(
      await out('image', 'ls', '--digests', '--no-trunc', 'tools'),
      new RegExp(`^tools +v1 +<none> +${id} `, 'm'),
    )
  })

  it('images narrows down by name and filter, and prints as it is told', async () => {
    assert.equal(await out('images', '-q', 'tools'), `${id.slice(7, 19)}\n`)
    assert.equal(await out('images', '-q', '--no-trunc', 'tools:v1'), `${id}\n`)
    assert.equal(await out('images', '-q', 'tools:v2'), '')
    assert.equal(
      await out(
        'images',
        '--format',
        '{{.Repository}}|{{.Tag}}',
        '--filter',
        'reference=localhost:5000/*/n?me',
      ),
      'localhost:5000/other/name|latest\n',
    )
    assert.equal(await out('images', '-q', '--filter', 'dangling=true'), '')
    const json = JSON.parse(await out('images', '--format', 'json', 'tools'))
    assert.deepEqual([json.Repository, json.Tag, json.ID], ['tools', 'v1', id.slice(7, 19)])
    const wrong = await run('images', '--filter', 'color=red')
    assert.equal(wrong.status, 1)
    assert.match(wrong.stderr, /invalid filter 'color'/)
  })

  it('image inspect describes images as Docker does, or by a template', async () => {
    const [image] = JSON.parse(await out('image', 'inspect', 'tools:v1'))
    assert.equal(image.Id, id)
    assert.deepEqual(image.RepoTags, ['tools:v1'])
    assert.deepEqual(image.Config.Cmd, ['/usr/bin/cat'])
    assert.equal(image.RootFS.Layers.length, 1)
    assert.ok(image.Size > 100_000)
    assert.equal(
      await out('image', 'inspect', '--format', '{{.Os}} {{index .Config.Cmd 0}}', id.slice(7, 15)),
      'linux /usr/bin/cat\n',
    )
    const partly = await run('image', 'inspect', '-f', '{{.Id}}', 'tools:v1', 'nothing')
    assert.deepEqual([partly.status, partly.stdout], [1, `${id}\n`])
    assert.match(partly.stderr, /No such image: nothing/)
    const other = await run('image', 'inspect', '--platform', 'linux/s390x', 'tools:v1')
    assert.equal(other.status, 1)
  })

  it('rmi removes what it can, and says what it cannot', async () => {
    const { status, stdout, stderr } = await run('rmi', 'nothing', 'tools:v1')
    assert.equal(status, 1)
    assert.match(stdout, new RegExp(`^Untagged: tools:v1\nDeleted: ${id}\nDeleted: sha256:[0-9a-f]{64}\n$`))
    assert.match(stderr, /No such image: nothing/)
    const forced = await run('image', 'rm', '--force', 'nothing')
    assert.deepEqual([forced.status, forced.stdout], [0, ''])
    assert.equal(await out('images', '-q', 'tools'), '')
  })

  it('explain themselves', async () => {
    for (const command of [['images'], ['rmi'], ['image', 'inspect'], ['image', 'from-host']]) {
      assert.match(await out(...command, '--help'), /Usage:[\s\S]*Examples:/)
    }
  })
})
