// `image serve`: minictr's own registry, asked by others' clients and by its own.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { minictr, type Running, startMinictr } from '../fixtures/command-line.ts'
import { pushImage, writeLayout, writeTar } from '../fixtures/image.ts'
import { startRegistry } from '../fixtures/registry.ts'

const execute = promisify(execFile)
const directory = mkdtempSync(join(tmpdir(), 'minictr-serve-'))
const root = join(directory, 'root')
const inRoot = (path: string, ...args: string[]) => ['--root', path, '--run-root', join(path, 'run'), ...args]
let serving: Running
let host: string
let manifest: { config: { digest: string }; layers: { digest: string; size: number; mediaType: string }[] }
let manifestDigest: string

before(async () => {
  const registry = await startRegistry()
  const layout = join(directory, 'layout')
  const one = await writeTar(join(directory, 'one.tar'), { 'etc/one': 'one\n', random: 2_000_000 })
  const { image } = await writeLayout(layout, { image: [{ layers: [{ tar: one }] }] })
  manifestDigest = image!.digest
  manifest = JSON.parse(readFileSync(join(layout, 'blobs/sha256', manifestDigest.slice(7)), 'utf8'))
  for (const tag of ['b', 'a', 'c']) {
    await pushImage(layout, registry.host, `team/image:${tag}`)
    const { status, stderr } = await minictr(inRoot(root, 'pull', `${registry.host}/team/image:${tag}`))
    assert.equal(status, 0, stderr)
  }
  await registry.stop()
  serving = startMinictr(inRoot(root, 'image', 'serve', '--listen', '127.0.0.1:0'))
  while (!serving.output().includes('team/image:c\n')) {
    assert.equal(serving.child.exitCode, null, 'it goes on running')
    await sleep(20)
  }
  host = /^Serving .* at http:\/\/(\S+)\n/.exec(serving.output())![1]!
})

after(async () => {
  serving.child.kill('SIGKILL')
  await serving.outcome
  rmSync(directory, { recursive: true, force: true })
})

const get = (path: string, init?: RequestInit) => fetch(`http://${host}${path}`, init)

/** Status, error code and body of an answer that is an error. */
async function failure(path: string, init?: RequestInit): Promise<[number, string]> {
  const response = await get(path, init)
  const { errors } = (await response.json()) as { errors: { code: string; message: string }[] }
  return [response.status, errors[0]!.code]
}

describe('image serve', () => {
  test('says where it listens and what can be pulled there', () => {
    const lines = serving.output().trimEnd().split('\n')
    assert.match(lines[0]!, /^Serving .*\/root\/images at http:\/\/127\.0\.0\.1:\d+$/)
    assert.deepEqual(
      lines.slice(1).sort(),
      ['a', 'b', 'c'].map(tag => `  minictr pull ${host}/team/image:${tag}`),
    )
  })

  test('skopeo copies an image from it', async () => {
    const target = join(directory, 'copy')
    await execute('skopeo', [
      '--insecure-policy',
      'copy',
      '-q',
      '--src-tls-verify=false',
      `docker://${host}/team/image:a`,
      `dir:${target}`,
    ])
    const names = readdirSync(target)
    assert.ok(names.includes(manifest.layers[0]!.digest.slice(7)), names.join(' '))
  })

  test('minictr pulls from it into another root', async () => {
    const other = join(directory, 'other')
    const { status, stdout, stderr } = await minictr(inRoot(other, 'pull', `${host}/team/image:b`))
    assert.equal(status, 0, stderr)
    assert.ok(stdout.includes(`Digest: ${manifestDigest}\n`))
  })

  test('answers the questions of the protocol', async () => {
    const ping = await get('/v2/')
    assert.deepEqual(
      [ping.status, ping.headers.get('docker-distribution-api-version')],
      [200, 'registry/2.0'],
    )
    for (const reference of ['a', manifestDigest]) {
      const response = await get(`/v2/team/image/manifests/${reference}`)
      assert.equal(response.headers.get('content-type'), 'application/vnd.oci.image.manifest.v1+json')
      assert.equal(response.headers.get('docker-content-digest'), manifestDigest)
      assert.deepEqual(await response.json(), manifest)
    }
    const head = await get('/v2/team/image/manifests/a', { method: 'HEAD' })
    assert.equal(head.headers.get('docker-content-digest'), manifestDigest)
    assert.equal(await head.text(), '')
  })

  test('lists tags, in pages', async () => {
    assert.deepEqual(await (await get('/v2/team/image/tags/list')).json(), {
      name: 'team/image',
      tags: ['a', 'b', 'c'],
    })
    const page = await get('/v2/team/image/tags/list?n=2')
    assert.deepEqual(await page.json(), { name: 'team/image', tags: ['a', 'b'] })
    const next = /^<(.+)>; rel="next"$/.exec(page.headers.get('link')!)![1]!
    const last = await get(next)
    assert.deepEqual(await last.json(), { name: 'team/image', tags: ['c'] })
    assert.equal(last.headers.get('link'), null)
  })

  test('sends blobs whole and in parts', async () => {
    const { digest, size } = manifest.layers[0]!
    const path = `/v2/team/image/blobs/${digest}`
    const head = await get(path, { method: 'HEAD' })
    assert.deepEqual(
      [head.headers.get('content-length'), head.headers.get('accept-ranges')],
      [String(size), 'bytes'],
    )
    const whole = Buffer.from(await (await get(path)).arrayBuffer())
    assert.equal(`sha256:${createHash('sha256').update(whole).digest('hex')}`, digest)
    const part = await get(path, { headers: { range: 'bytes=1000-1999' } })
    assert.deepEqual([part.status, part.headers.get('content-range')], [206, `bytes 1000-1999/${size}`])
    assert.ok(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(1000, 2000)))
    const beyond = await get(path, { headers: { range: `bytes=${size}-` } })
    assert.deepEqual([beyond.status, beyond.headers.get('content-range')], [416, `bytes */${size}`])
    await beyond.body?.cancel()
  })

  test('refuses in the protocol’s own words', async () => {
    const digest = `sha256:${'0'.repeat(64)}`
    assert.deepEqual(await failure('/v2/none/manifests/a'), [404, 'NAME_UNKNOWN'])
    assert.deepEqual(await failure('/v2/none/tags/list'), [404, 'NAME_UNKNOWN'])
    assert.deepEqual(await failure('/v2/team/image/manifests/none'), [404, 'MANIFEST_UNKNOWN'])
    assert.deepEqual(await failure(`/v2/team/image/blobs/${digest}`), [404, 'BLOB_UNKNOWN'])
    assert.deepEqual(await failure('/v2/team/image/blobs/sha256:..%2f..%2findex.json'), [
      400,
      'DIGEST_INVALID',
    ])
    assert.deepEqual(await failure('/v2/team/image/blobs/uploads/', { method: 'POST' }), [405, 'UNSUPPORTED'])
    assert.deepEqual(await failure('/v2/team/image/manifests/a', { method: 'DELETE' }), [405, 'UNSUPPORTED'])
    assert.deepEqual(await failure('/'), [404, 'NAME_UNKNOWN'])
  })

  test('says so when the port is taken or the address is none', async () => {
    const taken = await minictr(inRoot(root, 'image', 'serve', '--listen', host))
    assert.equal(taken.status, 1)
    assert.match(taken.stderr, /Cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/)
    const wrong = await minictr(inRoot(root, 'image', 'serve', '--listen', 'nowhere'))
    assert.match(wrong.stderr, /--listen "nowhere" is not HOST:PORT/)
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`ends on ${signal}, after the downloads under way`, async () => {
      const own = startMinictr(inRoot(root, 'image', 'serve', '--listen', '127.0.0.1:0'))
      while (!own.output().includes('team/image:c\n')) await sleep(20)
      const address = /http:\/\/(\S+)\n/.exec(own.output())![1]!
      const { digest, size } = manifest.layers[0]!
      const response = await fetch(`http://${address}/v2/team/image/blobs/${digest}`)
      own.child.kill(signal)
      assert.equal((await response.arrayBuffer()).byteLength, size)
      const { status, stderr } = await own.outcome
      assert.deepEqual([status, stderr], [0, ''])
    })
  }
})
