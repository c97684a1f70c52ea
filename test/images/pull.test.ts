// Pulling from a real registry: what arrives, what is not fetched again, and what several pulls at once do.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { minictr } from '../fixtures/command-line.ts'
import { startFaultProxy } from '../fixtures/fault-proxy.ts'
import { debianImage, pushImage, writeLayout, writeTar } from '../fixtures/image.ts'
import { type Registry, startRegistry } from '../fixtures/registry.ts'

const execute = promisify(execFile)
const directory = mkdtempSync(join(tmpdir(), 'minictr-pull-'))
let registry: Registry
let roots = 0

before(async () => {
  registry = await startRegistry()
  const one = await writeTar(join(directory, 'one.tar'), { 'etc/one': 'one\n', 'data/random': 300_000 })
  const two = await writeTar(join(directory, 'two.tar'), { 'etc/two': 'two\n' })
  const three = await writeTar(join(directory, 'three.tar'), { 'etc/three': 'three\n' })
  const layout = join(directory, 'layout')
  const config = { Cmd: ['/bin/true'] }
  await writeLayout(layout, {
    layers: [
      {
        layers: [
          { tar: one, compression: 'gzip' },
          { tar: two, compression: 'zstd' },
          { tar: three, compression: 'none' },
          { tar: two, compression: 'zstd' },
        ],
        config,
      },
    ],
    platforms: [
      { layers: [{ tar: one }], config, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
      { layers: [{ tar: two }], config, platform: { os: 'linux', architecture: 'amd64' } },
      { layers: [{ tar: three }], config, platform: { os: 'linux', architecture: 'arm', variant: 'v6' } },
    ],
    plain: [{ layers: [{ tar: one }], config }],
  })
  await pushImage(layout, registry.host, 'test/layers:1', { tag: 'layers' })
  await pushImage(layout, registry.host, 'test/layers:2', { tag: 'plain' })
  await pushImage(layout, registry.host, 'test/platforms', { tag: 'platforms' })
  await pushImage(layout, registry.host, 'test/docker', { tag: 'plain', format: 'v2s2' })
})

after(async () => {
  await registry.stop()
  rmSync(directory, { recursive: true, force: true })
})

function newRoot(): string {
  return join(directory, `root-${++roots}`)
}

const inRoot = (root: string) => ['--root', root, '--run-root', join(root, 'run')]

async function pull(root: string, ...args: string[]) {
  return minictr([...inRoot(root), 'pull', ...args])
}

/** The files of all unpacked layers, as `etc/one`. */
function unpackedFiles(root: string): string[] {
  const layers = join(root, 'layers')
  // Not all that is in a layer is looked at: a /var/run there leads into this host's /run.
  return readdirSync(layers)
    .map(name => join(layers, name, 'fs/etc'))
    .filter(etc => existsSync(etc))
    .flatMap(etc => readdirSync(etc, { recursive: true, encoding: 'utf8' }))
    .map(name => `etc/${name}`)
    .sort()
}

/** Everything in a store that is neither a finished blob nor the layout's own files. */
function leftovers(root: string): string[] {
  const names = readdirSync(join(root, 'images'), { recursive: true, encoding: 'utf8' })
  return names.filter(
    name => !/^(index\.json|oci-layout|partial|blobs(\/sha256(\/[0-9a-f]{64})?)?)$/.test(name),
  )
}

async function isValidLayout(root: string, name: string): Promise<void> {
  const copy = mkdtempSync(join(directory, 'copy-'))
  await execute('skopeo', ['--insecure-policy', 'copy', '-q', `oci:${root}/images:${name}`, `dir:${copy}`])
}

describe('pull', () => {
  test('brings every layer, whatever its compression, and says so as Docker does', async () => {
    const root = newRoot()
    const name = `${registry.host}/test/layers:1`
    const { status, stdout, stderr } = await pull(root, name)
    assert.equal(status, 0, stderr)
    const lines = stdout.trimEnd().split('\n')
    assert.equal(lines[0], '1: Pulling from test/layers')
    assert.match(lines.at(-3)!, /^Digest: sha256:[0-9a-f]{64}$/)
    assert.equal(lines.at(-2), `Status: Downloaded newer image for ${name}`)
    assert.equal(lines.at(-1), name)
    assert.equal(lines.filter(line => line.endsWith(': Pull complete')).length, 3, stdout)
    assert.deepEqual(unpackedFiles(root), ['etc/one', 'etc/three', 'etc/two'])
    assert.deepEqual(leftovers(root), [])
    await isValidLayout(root, name)
  })

  test('fetches nothing but the manifest when all is here', async () => {
    const root = newRoot()
    const proxy = await startFaultProxy(registry.host, () => undefined)
    try {
      const name = `${proxy.host}/test/layers:1`
      assert.equal((await pull(root, '--quiet', name)).status, 0)
      const before = proxy.count('blobs')
      assert.equal(before, 4, 'three different layers and the configuration, once each')
      const { stdout } = await pull(root, name)
      assert.match(stdout, new RegExp(`Status: Image is up to date for ${name}\n`))
      assert.equal(stdout.match(/: Already exists\n/g)?.length, 3, stdout)
      assert.equal(proxy.count('blobs'), before)
    } finally {
      await proxy.stop()
    }
  })

  test('--quiet prints the full name and nothing else', async () => {
    const name = `${registry.host}/test/layers:2`
    const { status, stdout, stderr } = await pull(newRoot(), '-q', name)
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${name}\n`, stderr: '' })
  })

  test('chooses the platform that is asked for, or one it can run', async () => {
    const name = `${registry.host}/test/platforms`
    for (const [platform, file] of [
      ['linux/arm64', 'etc/one'],
      ['linux/amd64', 'etc/two'],
      ['linux/arm/v7', 'etc/three'],
    ]) {
      const root = newRoot()
      const { status, stderr } = await pull(root, '--platform', platform!, name)
      assert.equal(status, 0, stderr)
      assert.deepEqual(unpackedFiles(root), [file], platform)
    }
    const refused = await pull(newRoot(), '--platform', 'linux/s390x', name)
    assert.equal(refused.status, 1)
    assert.match(
      refused.stderr,
      /has no image for linux\/s390x\nIt has: linux\/arm64\/v8, linux\/amd64, linux\/arm\/v6/,
    )
  })

  test('refuses an image of another platform only to who named one', async () => {
    const other = process.arch === 'arm64' ? 'linux/amd64' : 'linux/arm64'
    const { status, stderr } = await pull(newRoot(), '--platform', other, `${registry.host}/test/layers:2`)
    assert.equal(status, 1)
    assert.match(stderr, /is for linux\/\w+, not for linux\/\w+/)
  })

  test('by digest brings exactly that image and gives it no tag', async () => {
    const name = `${registry.host}/test/layers`
    const digest = /Digest: (sha256:\S+)/.exec((await pull(newRoot(), `${name}:1`)).stdout)![1]!
    const root = newRoot()
    const { status, stdout, stderr } = await pull(root, `${name}:whatever@${digest}`)
    assert.equal(status, 0, stderr)
    assert.match(stdout, new RegExp(`\n${name}@${digest}\n$`))
    assert.deepEqual(unpackedFiles(root), ['etc/one', 'etc/three', 'etc/two'])
  })

  test('starts no thread for an image that is here, whatever it was asked for by', async () => {
    const [preload, note] = [join(directory, 'note-threads.cjs'), join(directory, 'threads')]
    writeFileSync(
      preload,
      `const threads = require('node:worker_threads')
      const { Worker } = threads
      threads.Worker = function (...args) {
        require('node:fs').appendFileSync(${JSON.stringify(note)}, 'one more ')
        return new Worker(...args)
      }`,
    )
    const name = `${registry.host}/test/layers`
    const root = newRoot()
    const threadsFor = async (what: string) => {
      rmSync(note, { force: true })
      const env = { NODE_OPTIONS: `--require=${preload}` }
      const { status, stdout, stderr } = await minictr([...inRoot(root), 'pull', what], { env })
      assert.equal(status, 0, stderr)
      const threads = existsSync(note) ? readFileSync(note, 'utf8').match(/one more/g)!.length : 0
      return { threads, digest: /Digest: (sha256:\S+)/.exec(stdout)![1]! }
    }
    const { threads, digest } = await threadsFor(`${name}:1`)
    assert.equal(threads, 1)
    await threadsFor(`${name}@${digest}`)
    for (const what of [`${name}:1`, `${name}@${digest}`, `${name}:1@${digest}`])
      assert.equal((await threadsFor(what)).threads, 0, what)
  })

  test('reads Docker’s own manifests', async () => {
    const root = newRoot()
    const { status, stderr } = await pull(root, `${registry.host}/test/docker`)
    assert.equal(status, 0, stderr)
    assert.deepEqual(unpackedFiles(root), ['etc/one'])
    const index = JSON.parse(readFileSync(join(root, 'images/index.json'), 'utf8'))
    assert.equal(index.manifests[0].mediaType, 'application/vnd.docker.distribution.manifest.v2+json')
  })

  test('says which tag is meant where none is named, unless it is to be quiet', async () => {
    const name = `${registry.host}/test/nothing`
    assert.match((await pull(newRoot(), name)).stdout, /^Using default tag: latest\nlatest: Pulling from/)
    assert.equal((await pull(newRoot(), '--quiet', name)).stdout, '')
  })

  test('--all-tags brings every tag, and layers they share once', async () => {
    const root = newRoot()
    const { status, stdout, stderr } = await pull(root, '--all-tags', `${registry.host}/test/layers`)
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^1: Pulling from test\/layers\n/)
    assert.match(stdout, /\n2: Pulling from test\/layers\n[0-9a-f]{12}: Already exists\n/)
    const refused = await pull(root, '-a', `${registry.host}/test/layers:1`)
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /names a tag/)
  })

  test('says what is not there, and where it asked', async () => {
    const { status, stderr } = await pull(newRoot(), `${registry.host}/test/layers:none`)
    assert.equal(status, 1)
    assert.match(
      stderr,
      /There is no image 127\.0\.0\.1:\d+\/test\/layers:none at the registry\..*manifest unknown/,
    )
    const silent = await pull(newRoot(), 'localhost:1/a')
    assert.equal(silent.status, 1)
    assert.match(silent.stderr, /does not answer at http:\/\/localhost:1.*ECONNREFUSED/)
  })

  test('of one image by several processes at once does the work once', async () => {
    const root = newRoot()
    const proxy = await startFaultProxy(registry.host, () => undefined)
    try {
      const name = `${proxy.host}/test/layers:1`
      const outcomes = await Promise.all(Array.from({ length: 4 }, () => pull(root, name)))
      for (const { status, stderr } of outcomes) assert.equal(status, 0, stderr)
      const layers = proxy.seen.filter(({ url }) => url.includes('/blobs/')).map(({ url }) => url)
      const configurations = 4
      assert.ok(layers.length <= 3 + configurations, `${layers.length} blobs fetched:\n${layers.join('\n')}`)
      assert.deepEqual(leftovers(root), [])
      await isValidLayout(root, name)
    } finally {
      await proxy.stop()
    }
  })

  test('brings a real Debian', async () => {
    await pushImage(await debianImage(), registry.host, 'debian:trixie')
    const root = newRoot()
    const { status, stderr } = await pull(root, '-q', `${registry.host}/debian:trixie`)
    assert.equal(status, 0, stderr)
    assert.ok(unpackedFiles(root).includes('etc/debian_version'))
  })

  test('takes a configuration file and refuses a wrong one, naming file and key', async () => {
    const file = join(directory, 'config.json')
    writeFileSync(file, JSON.stringify({ 'registry-mirror': [] }))
    const { status, stderr } = await minictr(['--config', file, ...inRoot(newRoot()), 'pull', 'debian'])
    assert.equal(status, 1)
    assert.ok(stderr.includes(`${file}: unknown key "registry-mirror"`), stderr)
  })
})
