// The image store as other tools see it, images made of this host's programs, and the removal of images. Needs root.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { findInCatalog, listImages } from '../../src/images/catalog.ts'
import { collectGarbage, whileBringing } from '../../src/images/collect.ts'
import { imageFromHost } from '../../src/images/from-host.ts'
import { LayerStore } from '../../src/images/layers.ts'
import { readyLayers } from '../../src/images/ready.ts'
import { removeImage } from '../../src/images/remove.ts'
import { ImageStore } from '../../src/images/store.ts'

const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

describe('the image store', () => {
  let root: string
  let store: ImageStore
  let layers: LayerStore
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'minictr-store-'))
    store = new ImageStore(join(root, 'images'))
    layers = new LayerStore(join(root, 'layers'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const blobs = () =>
    existsSync(join(root, 'images/blobs')) ? readdirSync(join(root, 'images/blobs/sha256')) : []

  async function make(name: string, ...programs: string[]) {
    await imageFromHost(name, programs, store)
    const image = store.resolve(name)
    await readyLayers(image, store, layers)
    return image
  }

  describe('with an image of this host', () => {
    it('is read by skopeo and umoci under its full name, and unpacked by umoci as by us', async () => {
      const image = await make('localhost:5000/tools/shell:v1', 'sh', 'ls')
      const name = 'localhost:5000/tools/shell:v1'
      const seen = JSON.parse(run('skopeo', 'inspect', `oci:${root}/images:${name}`))
      assert.equal(seen.Digest, image.digest)
      run('skopeo', '--insecure-policy', 'copy', '-q', `oci:${root}/images:${name}`, `dir:${root}/copy`)
      assert.equal(run('umoci', 'ls', '--layout', join(root, 'images')).trim(), name)
      run('umoci', 'unpack', '--image', `${root}/images:${name}`, join(root, 'bundle'))
      const ours = layers.layersOf(image)[0]?.path
      run('diff', '-r', '--no-dereference', ours!, join(root, 'bundle/rootfs'))
    })

    it('runs the programs, whose libraries and interpreter came along', async () => {
      const script = join(root, 'script')
      writeFileSync(script, '#!/usr/bin/env sh\necho from the script\n')
      chmodSync(script, 0o755)
      const image = await make('tools', 'bash', 'ls', script)
      const directory = layers.layersOf(image)[0]?.path
      const out = execFileSync(
        'chroot',
        [directory!, '/bin/bash', '-c', `ls -d /tmp; ${script}; stat=$(ls -ld /tmp); echo $stat`],
        {
          encoding: 'utf8',
          env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
        },
      )
      assert.match(out, /^\/tmp\nfrom the script\ndrwxrwxrwt/)
      assert.deepEqual(image.config.config!.Cmd, [
        run('sh', '-c', 'command -v bash')
          .trim()
          .replace(/^\/bin\//, '/usr/bin/'),
      ])
    })

    it('counts as made when its newest file was, or as SOURCE_DATE_EPOCH says', async () => {
      const program = join(root, 'program')
      writeFileSync(program, '#!/bin/sh\n')
      chmodSync(program, 0o755)
      const newest = new Date('2040-05-06T07:08:09Z')
      utimesSync(program, newest, newest)
      assert.equal((await make('one', program)).config.created, '2040-05-06T07:08:09.000Z')
      process.env.SOURCE_DATE_EPOCH = '1700000000'
      try {
        assert.equal((await make('two', program)).config.created, '2023-11-14T22:13:20.000Z')
        process.env.SOURCE_DATE_EPOCH = 'yesterday'
        await assert.rejects(make('three', program), /SOURCE_DATE_EPOCH is "yesterday"/)
      } finally {
        delete process.env.SOURCE_DATE_EPOCH
      }
    })

    it('is the same whenever it is made of the same programs', async () => {
      const first = await make('one', 'ls', 'cat')
      const second = await make('two', 'ls', 'cat')
      assert.equal(first.digest, second.digest)
      assert.notEqual((await make('three', 'cat')).digest, first.digest)
    })

    it('says which program or library is missing', async () => {
      await assert.rejects(make('x', 'no-such-program'), /The program no-such-program is in none of/)
      await assert.rejects(make('x', '/etc/passwd'), /is no executable file/)
      const library = '/nonexistent/libnothing.so'
      writeFileSync(
        join(root, 'broken'),
        readFileSync('/bin/ls').toString('latin1').replace('libc.so.6', 'libc.so.7'),
        'latin1',
      )
      chmodSync(join(root, 'broken'), 0o755)
      await assert.rejects(
        make('x', join(root, 'broken')),
        /The shared library libc\.so\.7, which .*broken needs, is not on this host/,
      )
      assert.ok(!existsSync(library))
      assert.deepEqual(store.list(), [])
    })
  })

  describe('names an image by a draft of its index', () => {
    const manifest = (digit: string) => ({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: `sha256:${digit.repeat(64)}`,
      size: 3,
    })
    const names = () => store.list().map(({ name }) => name)
    const partial = () => readdirSync(join(root, 'images/partial'))

    it('which becomes the index', async () => {
      const draft = store.draftTag('one', manifest('1'))
      assert.deepEqual(names(), [])
      const { ino } = statSync(draft.path)
      await store.tag('one', manifest('1'), undefined, draft)
      assert.deepEqual(names(), ['docker.io/library/one:latest'])
      assert.equal(statSync(join(root, 'images/index.json')).ino, ino)
      store.removeDraft(draft)
      assert.deepEqual(partial(), [])
    })

    it('unless another image has been named since', async () => {
      const draft = store.draftTag('one', manifest('1'))
      await store.tag('two', manifest('2'))
      await store.tag('one', manifest('1'), undefined, draft)
      assert.deepEqual(names(), ['docker.io/library/two:latest', 'docker.io/library/one:latest'])
      store.removeDraft(draft)
      assert.deepEqual(partial(), [])
    })

    it('unless the draft is gone', async () => {
      const draft = store.draftTag('one', manifest('1'))
      rmSync(draft.path)
      await store.tag('one', manifest('1'), undefined, draft)
      assert.deepEqual(names(), ['docker.io/library/one:latest'])
    })

    it('and takes the drafts of the dead away, not those of the living', () => {
      const [mine, other] = [store.draftTag('one', manifest('1')), store.draftTag('two', manifest('2'))]
      const { pid } = spawnSync('true')
      writeFileSync(other.path.replace(`-${process.pid}-`, `-${pid}-`), '')
      store.removeDraft(mine)
      assert.deepEqual(partial(), [basename(other.path)])
      store.removeDraft(other)
    })

    it('and minds no draft that cannot be removed: what the pull itself has met with is what counts', () => {
      const draft = store.draftTag('one', manifest('1'))
      rmSync(join(root, 'images/partial'), { recursive: true })
      store.removeDraft(draft)
    })
  })

  describe('finds images', () => {
    it('by name, digest, id and beginnings of the id, and for a platform', async () => {
      const image = await make('tools:v1', 'ls')
      await store.tag('tools', store.list()[0]!.manifest, `sha256:${'1'.repeat(64)}`)
      const id = image.id.slice('sha256:'.length)
      for (const text of [
        'tools:v1',
        'tools',
        'docker.io/library/tools:v1',
        id,
        id.slice(0, 6),
        image.id,
        `tools@${image.digest}`,
        `tools@sha256:${'1'.repeat(64)}`,
      ]) {
        assert.equal(store.find(text)?.id, image.id, text)
      }
      assert.deepEqual(store.resolve('tools').names.sort(), [
        'docker.io/library/tools:latest',
        'docker.io/library/tools:v1',
      ])
      for (const text of [
        'tools:v2',
        'other',
        'localhost/tools:v1',
        `other@${image.digest}`,
        'f'.repeat(64),
      ]) {
        assert.equal(store.find(text), undefined, text)
      }
      assert.equal(store.find('tools', { os: 'linux', architecture: 'riscv64' }), undefined)
      assert.throws(() => store.resolve('other'), /No such image: other/)
      assert.throws(() => store.find('Not A Name'), /Invalid image reference/)
    })

    it('and refuses a beginning that fits several', async () => {
      const ids = new Map<string, string>()
      for (const program of [
        'ls',
        'cat',
        'cp',
        'mv',
        'rm',
        'ln',
        'dd',
        'df',
        'du',
        'id',
        'tr',
        'wc',
        'nl',
        'od',
        'pr',
        'tee',
        'sum',
      ]) {
        await imageFromHost(`p-${program}`, [program], store)
        const digit = store.resolve(`p-${program}`).id[7]!
        if (ids.has(digit)) return assert.throws(() => store.find(digit), /ambiguous/)
        ids.set(digit, program)
      }
      assert.fail('seventeen ids begin with seventeen different digits')
    })

    it('although several processes name them at once', async () => {
      await make('tools', 'ls')
      const { manifest } = store.list()[0]!
      const script = `
        import { ImageStore } from ${JSON.stringify(join(import.meta.dirname, '../../src/images/store.ts'))}
        const store = new ImageStore(process.argv[1])
        for (let i = 0; i < 5; i++) await store.tag('tools:' + process.argv[2] + i, JSON.parse(process.argv[3]))`
      const { spawn } = await import('node:child_process')
      const children = ['a', 'b', 'c', 'd'].map(letter =>
        spawn(
          process.execPath,
          ['--input-type=module', '-e', script, store.directory, letter, JSON.stringify(manifest)],
          { stdio: 'inherit' },
        ),
      )
      const statuses = await Promise.all(
        children.map(child => new Promise(resolve => child.on('exit', resolve))),
      )
      assert.deepEqual(statuses, [0, 0, 0, 0])
      assert.equal(store.list().length, 1 + 4 * 5)
      assert.deepEqual(readdirSync(join(root, 'images/partial')), [])
    })
  })

  describe('removes images', () => {
    const remove = (text: string, force = false, uses: ReturnType<Parameters<typeof removeImage>[4]> = []) =>
      removeImage(text, force, store, layers, () => uses)

    it('with their last name, and all that only they need', async () => {
      const image = await make('one:v1', 'ls')
      const other = await make('other', 'cat')
      await store.tag('two', store.list()[0]!.manifest)
      assert.deepEqual(await remove('one:v1'), {
        imageId: image.id,
        untagged: ['one:v1'],
        deleted: [],
        isContentKept: false,
      })
      const { untagged, deleted } = await remove('two')
      assert.deepEqual(untagged, ['two:latest'])
      assert.deepEqual(deleted, [image.id, image.diffIds[0]])
      assert.deepEqual(
        blobs().sort(),
        [other.digest, other.id, other.manifest.layers[0]!.digest].map(digest => digest.slice(7)).sort(),
      )
      assert.deepEqual(readdirSync(join(root, 'layers')), [other.diffIds[0]!.slice(7)])
      await assert.rejects(remove('two'), /No such image: two/)
    })

    it('by id only if they have one name, or by force', async () => {
      const { id } = await make('one', 'ls')
      await store.tag('two', store.list()[0]!.manifest)
      await assert.rejects(
        remove(id.slice(7, 19)),
        /conflict: unable to delete [0-9a-f]{12} \(must be forced\) - image is referenced in multiple/,
      )
      assert.deepEqual((await remove(id, true)).untagged, ['one:latest', 'two:latest'])
      assert.deepEqual(blobs(), [])
    })

    it('but none that a container is made of, unless it is forced, and never its layers', async () => {
      const image = await make('one', 'ls')
      const use = {
        containerId: 'c'.repeat(64),
        isRunning: false,
        imageId: image.id,
        layerPaths: layers.layersOf(image).map(({ path }) => path),
      }
      await assert.rejects(
        remove('one', false, [use]),
        /conflict: unable to remove repository reference "one:latest" \(must force\) - container cccccccccccc/,
      )
      await assert.rejects(remove(image.id, false, [use]), /must be forced.*stopped container cccccccccccc/)
      await assert.rejects(
        remove(image.id, true, [{ ...use, isRunning: true }]),
        /cannot be forced.*running container/,
      )
      const removed = await remove('one', true, [{ ...use, isRunning: true }])
      assert.deepEqual(removed, {
        imageId: image.id,
        untagged: ['one:latest'],
        deleted: [],
        isContentKept: false,
      })
      assert.deepEqual(
        listImages(store).map(({ id, tags }) => [id, tags]),
        [[image.id, []]],
      )
      assert.deepEqual((await remove(image.id, true, [use])).deleted, [image.id])
      assert.ok(existsSync(use.layerPaths[0]!), 'the stopped container keeps its layers')
      await collectGarbage(store, layers, () => [])
      assert.ok(!existsSync(use.layerPaths[0]!))
    })

    it('and leaves content alone while somebody is bringing any', async () => {
      await make('one', 'ls')
      const removed = await whileBringing(store, () => remove('one'))
      assert.equal(removed.isContentKept, true)
      assert.equal(blobs().length, 3)
      await collectGarbage(store, layers, () => [])
      assert.deepEqual(blobs(), [])
    })

    it('and keeps what another tool put here, an index with its images', async () => {
      await make('one', 'ls')
      const { digest, size, mediaType } = store.list()[0]!.manifest
      const index = {
        schemaVersion: 2,
        manifests: [{ mediaType, digest, size, platform: { os: 'linux', architecture: 'amd64' } }],
      }
      const put = store.putBlob(Buffer.from(JSON.stringify(index)), 'application/vnd.oci.image.index.v1+json')
      await store.tag('foreign', put)
      assert.deepEqual(
        listImages(store).flatMap(({ tags }) => tags),
        ['one:latest'],
      )
      assert.equal(store.find(listImages(store)[0]!.id.slice(7, 19))?.digest, digest)
      await make('two', 'cat')
      await remove('two')
      assert.equal(blobs().length, 4)
    })

    it('and what killed writers left, but no download that can go on', async () => {
      await make('one', 'ls')
      const partial = join(root, 'images/partial')
      writeFileSync(join(partial, `sha256-${'a'.repeat(64)}`), 'half a layer')
      writeFileSync(store.temporaryPath(), 'half a blob')
      execFileSync('mkdir', ['-p', join(root, `layers/.unpacking-${'b'.repeat(64)}/fs/etc`)])
      await collectGarbage(store, layers, () => [])
      assert.deepEqual(readdirSync(partial), [`sha256-${'a'.repeat(64)}`])
      assert.equal(readdirSync(join(root, 'layers')).length, 1)
      assert.equal(store.resolve('one').names.length, 1)
    })
  })

  it('keeps an image that lost its name to a newer one, as nameless', async () => {
    const first = await make('tools', 'ls')
    await store.tag('tools', store.list()[0]!.manifest, `sha256:${'2'.repeat(64)}`)
    const second = await make('tools', 'cat')
    assert.equal(store.resolve('tools').id, second.id)
    const nameless = findInCatalog(store, first.id)
    assert.deepEqual([nameless.tags, nameless.digests], [[], [`tools@sha256:${'2'.repeat(64)}`]])
    assert.equal(
      run('umoci', 'ls', '--layout', join(root, 'images')).trim(),
      'docker.io/library/tools:latest',
    )
  })

  it('leaves out what another tool put here that is no image, unless it is asked for by name', async () => {
    const { id } = await make('one', 'ls')
    const empty = store.putBlob(Buffer.from('{}'), 'application/vnd.oci.empty.v1+json')
    const manifest = {
      schemaVersion: 2,
      artifactType: 'application/vnd.example',
      config: empty,
      layers: [empty],
    }
    const type = 'application/vnd.oci.image.manifest.v1+json'
    await store.tag('artifact', store.putBlob(Buffer.from(JSON.stringify(manifest)), type))
    assert.deepEqual(
      listImages(store).flatMap(({ tags }) => tags),
      ['one:latest'],
    )
    assert.equal(store.resolve(id.slice(7, 19)).id, id)
    assert.throws(() => store.resolve('artifact'), /artifact:latest is no container image.*oci\.empty/)
  })

  it('says what to do where a blob is missing or was cut by a power failure', async () => {
    const image = await make('tools', 'ls')
    writeFileSync(store.blobPath(image.id), '')
    const remedy = (text: string) => ({ remedy: text })
    const again = `Remove ${store.blobPath(image.id)} and make or pull the image again; what is whole is kept.`
    assert.throws(() => store.resolve('tools'), /has 0 bytes where \d+ are due/)
    assert.throws(() => store.resolve('tools'), remedy(again))
    rmSync(store.blobPath(image.id))
    assert.throws(() => store.resolve('tools'), /is not in the image store/)
    const digest = store.list()[0]!.manifest
    await store.tag('tools', digest, `sha256:${'2'.repeat(64)}`)
    const fetched = `rm -f ${store.blobPath(image.id)} && minictr pull tools:latest`
    assert.throws(() => store.resolve('tools'), remedy(`Fetch it again; what is whole is kept: ${fetched}`))
  })

  it('says which file is damaged where a layer cannot be unpacked again', async () => {
    const image = await make('tools', 'ls')
    const file = store.blobPath(image.manifest.layers[0]!.digest)
    const bytes = readFileSync(file)
    bytes.fill(0, 1000, 1100)
    rmSync(join(root, 'layers'), { recursive: true })
    writeFileSync(file, bytes)
    const naming = (error: Error & { remedy?: string }) => error.remedy!.includes(`rm -f ${file}`)
    await assert.rejects(readyLayers(image, store, layers), naming)
    rmSync(file)
    await assert.rejects(readyLayers(image, store, layers), naming)
  })
})
