// A clock that is set back while a container runs: its end is known all the same.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { replaceFile } from '../../src/containers/json-file.ts'
import { containerPaths, readContainer } from '../../src/containers/state.ts'
import { useSmallStore } from '../fixtures/small-store.ts'

const store = useSmallStore()

/** As if it had been started an hour from now. */
function startLater(id: string): void {
  const { lifecycle } = readContainer(store, id)!
  const { lifecycle: file } = containerPaths(store, id)
  replaceFile(file, { ...lifecycle!, startedAtMs: lifecycle!.startedAtMs + 3_600_000 })
}

it('does not hide how a container ended, nor that one that is started anew has not ended', async () => {
  const flags = ['--name', 'box', '--network', 'none', '--restart', 'on-failure']
  const id = await store.succeed('run', '-d', ...flags, store.image, 'sleep', '1000')
  startLater(id)
  await store.succeed('kill', 'box')
  assert.equal(await store.succeed('wait', 'box'), '137')
  assert.match(await store.succeed('ps', '-a'), / Exited \(137\) /)
  await store.succeed('start', 'box')
  assert.equal(readContainer(store, id)!.exit, undefined)
  await store.succeed('rm', '-f', 'box')
})

it('does not hide that it could not be started since', async () => {
  const command = ['--network', 'none', store.image, 'sleep', '1000']
  const id = await store.succeed('run', '-d', '--name', 'box', ...command)
  startLater(id)
  await store.succeed('kill', 'box')
  const { startError } = containerPaths(store, id)
  replaceFile(startError, { exitStatus: 127, message: 'not found', failedAtMs: Date.now() })
  assert.match(await store.succeed('ps', '-a'), / Exited \(127\) /)
  await store.succeed('start', 'box')
  await store.succeed('kill', 'box')
  assert.match(await store.succeed('ps', '-a'), / Exited \(137\) /)
  await store.succeed('rm', 'box')
})
