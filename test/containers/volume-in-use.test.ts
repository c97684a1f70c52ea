// A volume that is removed while a container of it is being made: it stays for that container, or another one is made.

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { VolumeStore } from '../../src/volumes/store.ts'
import { executable } from '../fixtures/command-line.ts'
import { useSmallStore } from '../fixtures/small-store.ts'
import { atTerminal } from '../fixtures/terminal.ts'

const store = useSmallStore()
const volumes = () => new VolumeStore(store.root)
const forgetVolumes = () => rmSync(volumes().directory, { recursive: true })

async function createWithFile(name: string): Promise<string> {
  await store.succeed('volume', 'create', name)
  const file = join(volumes().dataOf(name), 'file')
  writeFileSync(file, `of ${name}`)
  return file
}

it('is made anew where it went before the container said that it uses it', async () => {
  await createWithFile('data')
  const command = [
    'run',
    '--step',
    '--rm',
    '--network',
    'none',
    '-v',
    'data:/data',
    store.image,
    'ls',
    '/data',
  ]
  const session = atTerminal([executable, ...store.globals, ...command])
  await session.see('help > ')
  await store.succeed('volume', 'rm', 'data')
  session.type('continue')
  // Another plan, from its first step on.
  await session.see('help > ')
  session.type('continue')
  const { status, text } = await session.end()
  assert.equal(status, 0, text)
  assert.doesNotMatch(text, /^file$/m)
  assert.equal(await store.succeed('volume', 'ls', '-q'), 'data')
  forgetVolumes()
})

it('stays where somebody uses it who was not seen when its removal began', async () => {
  for (const name of ['used', 'unused']) await createWithFile(name)
  assert.deepEqual(await volumes().remove(['used', 'unused'], () => new Set(['used'])), ['unused'])
  assert.deepEqual(
    volumes()
      .list()
      .map(({ name }) => name),
    ['used'],
  )
  assert.equal(volumes().isEmpty('used'), false)
  forgetVolumes()
})

it('goes where that one has not found it, and made another one', async () => {
  await createWithFile('data')
  const removed = volumes().remove(['data'], () => {
    mkdirSync(volumes().dataOf('data'), { recursive: true })
    return new Set(['data'])
  })
  assert.deepEqual(await removed, ['data'], 'the one that was to go has gone')
  assert.equal(volumes().isEmpty('data'), true)
  assert.equal(await store.succeed('volume', 'ls', '-q'), 'data')
  forgetVolumes()
})

describe('a volume that nobody named', () => {
  const removing = ['rm', '--step', '-v', 'owner']
  const names = async () => (await store.succeed('volume', 'ls', '-q')).split('\n').filter(Boolean)

  async function createOwner(): Promise<string> {
    await store.succeed('create', '--name', 'owner', '-v', '/data', store.image, 'true')
    const [name] = await names()
    writeFileSync(join(volumes().dataOf(name!), 'file'), 'of owner')
    return name!
  }

  it('stays where another container has got it while its own was being removed', async () => {
    const name = await createOwner()
    const session = atTerminal([executable, ...store.globals, ...removing])
    await session.see('help > ')
    session.type('')
    // It has the lock, and has seen who uses the volume.
    await session.see('\n2/')
    await session.see('help > ')
    await store.succeed('create', '--name', 'other', '--volumes-from', 'owner', store.image, 'true')
    session.type('continue')
    const { status, text } = await session.end()
    assert.equal(status, 0, text)
    assert.deepEqual(await names(), [name])
    assert.equal(volumes().isEmpty(name), false)
    await store.succeed('rm', '-v', 'other')
    assert.deepEqual(readdirSync(volumes().directory), [])
    forgetVolumes()
  })

  it('goes with the next removal where its own was cut short, unless somebody has it', async () => {
    const name = await createOwner()
    for (const isUsed of [true, false]) {
      renameSync(volumes().directoryOf(name), volumes().unusedOf(name))
      assert.deepEqual(await volumes().remove([], () => new Set(isUsed ? [name] : [])), [])
      assert.deepEqual(readdirSync(volumes().directory), isUsed ? [name] : [])
    }
    await store.succeed('rm', 'owner')
    forgetVolumes()
  })
})
