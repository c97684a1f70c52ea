// A real Debian layer beside GNU tar's extraction of it, and unpacking that is killed on the way. Needs root.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { LayerStack } from '../../src/images/layer-stack.ts'
import { resolveUser } from '../../src/images/passwd.ts'
import { debianTar } from '../fixtures/image.ts'
import { TestLayers, xattrsOf } from '../fixtures/layers.ts'

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return `sha256:${hash.digest('hex')}`
}

function namesBelow(root: string, name: string): string[] {
  const path = join(root, name)
  if (!lstatSync(path).isDirectory()) return [name]
  return [name, ...readdirSync(path).flatMap(each => namesBelow(root, join(name, each)))]
}

/** Everything about every file below a directory; hard links by the first of their names. */
function describeTree(root: string): Map<string, object> {
  const found = new Map<string, object>()
  const firstNames = new Map<bigint, string>()
  for (const name of namesBelow(root, '.').sort()) {
    const path = join(root, name)
    const { mode, uid, gid, mtimeNs, nlink, rdev, ino, size } = lstatSync(path, { bigint: true })
    const stats = lstatSync(path)
    if (!firstNames.has(ino)) firstNames.set(ino, name)
    found.set(name, {
      mode,
      uid,
      gid,
      mtimeNs,
      ...(stats.isDirectory() ? {} : { nlink, sameAs: firstNames.get(ino) }),
      ...(stats.isFile()
        ? { size, content: createHash('sha256').update(readFileSync(path)).digest('hex') }
        : {}),
      ...(stats.isSymbolicLink() ? { target: readlinkSync(path) } : {}),
      ...(stats.isCharacterDevice() || stats.isBlockDevice() ? { rdev } : {}),
    })
  }
  return found
}

describe('a real Debian layer', () => {
  let layers: TestLayers
  let gzip: string
  let diffId: string
  before(async () => {
    layers = new TestLayers()
    const tar = await debianTar()
    diffId = await digestOf(tar)
    gzip = join(layers.directory, 'layer.tar.gz')
    execFileSync('sh', ['-c', 'gzip -1 < "$0" > "$1"', tar, gzip])
  })
  after(() => layers.remove())

  it('is unpacked exactly as GNU tar does it: modes, owners, times, links, content, extended attributes', async () => {
    await layers.store.unpack(createReadStream(gzip), { mediaType: '', diffId, lowerDiffIds: [] })
    const root = layers.store.layersOf({ diffIds: [diffId] })[0]?.path
    const reference = join(layers.directory, 'reference')
    mkdirSync(reference)
    execFileSync('tar', [
      '-xzpf',
      gzip,
      '--numeric-owner',
      '--same-owner',
      '--xattrs',
      '--xattrs-include=*',
      '-C',
      reference,
    ])
    const [ours, theirs] = [describeTree(root!), describeTree(reference)]
    assert.ok(ours.size > 3000, `${ours.size} files`)
    assert.deepEqual([...ours.keys()], [...theirs.keys()])
    for (const [name, about] of ours) assert.deepEqual(about, theirs.get(name), name)
    const privileged = [...ours.keys()].filter(name => lstatSync(join(root!, name)).mode & 0o6000)
    assert.ok(privileged.length > 0)
    for (const name of privileged)
      assert.deepEqual(xattrsOf(join(root!, name)), xattrsOf(join(reference, name)), name)
  })

  it('knows its users and groups without being mounted', () => {
    const stack = new LayerStack(layers.store.layersOf({ diffIds: [diffId] }))
    assert.deepEqual(resolveUser(stack, ''), { uid: 0, gid: 0, additionalGids: [0], home: '/root' })
    assert.deepEqual(resolveUser(stack, 'www-data'), {
      uid: 33,
      gid: 33,
      additionalGids: [33],
      home: '/var/www',
    })
    assert.deepEqual(resolveUser(stack, 'daemon:adm', ['tty']).additionalGids, [4, 5])
  })

  it('is believed in the boot that unpacked it, and later only if it was flushed to the disk', async () => {
    assert.ok(layers.store.has(diffId))
    const record = join(layers.store.directory, diffId.slice(7), 'layer.json')
    const other = readFileSync(record, 'utf8').replace(
      /"bootId":"[^"]*"/,
      '"bootId":"00000000-0000-0000-0000-000000000000"',
    )
    const original = readFileSync(record, 'utf8')
    writeFileSync(record, other)
    assert.equal(layers.store.has(diffId), false, 'as after a power cut')
    writeFileSync(record, original)
    await layers.store.settle()
    writeFileSync(record, other)
    assert.ok(layers.store.has(diffId), 'as after a reboot later on')
    writeFileSync(record, '{"diffId"')
    assert.equal(layers.store.has(diffId), false, 'half a record')
  })

  it('leaves nothing to be believed when its unpacking is killed, and is unpacked the next time', async () => {
    const killed = new TestLayers()
    try {
      const script = `
        import { createReadStream } from 'node:fs'
        import { LayerStore } from ${JSON.stringify(join(import.meta.dirname, '../../src/images/layers.ts'))}
        const [directory, gzip, diffId] = process.argv.slice(1)
        const onProgress = doneBytes => doneBytes > 20e6 && process.kill(process.pid, 'SIGKILL')
        await new LayerStore(directory).unpack(createReadStream(gzip), { mediaType: '', diffId, lowerDiffIds: [], onProgress })`
      const child = spawn(process.execPath, [
        '--input-type=module',
        '-e',
        script,
        killed.store.directory,
        gzip,
        diffId,
      ])
      const signal = await new Promise(resolve => child.on('exit', (_, name) => resolve(name)))
      assert.equal(signal, 'SIGKILL')
      assert.equal(killed.store.has(diffId), false)
      const half = killed.leftovers().find(name => !name.endsWith('.lock'))!
      assert.ok(existsSync(join(killed.store.directory, half, 'fs')), 'it was in the middle of it')
      await killed.store.unpack(createReadStream(gzip), { mediaType: '', diffId, lowerDiffIds: [] })
      assert.ok(killed.store.has(diffId))
      assert.deepEqual(killed.leftovers(), [])
    } finally {
      killed.remove()
    }
  })
})
