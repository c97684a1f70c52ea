// What of a source becomes what at a destination: Docker's table, line by line.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { targetOf } from '../../../src/containers/copy.ts'
import { containerOwner, hostOwner } from '../../../src/containers/id-mapping.ts'

const file = { path: '/from/file', isDirectory: false }
const directory = { path: '/from/dir', isDirectory: true }
const content = { path: '/from/dir/.', isDirectory: true }

describe('a file that is copied', () => {
  it('becomes a new one, replaces one, or goes into a directory', () => {
    assert.deepEqual(targetOf(file, '/to/new', undefined), { directory: '/to', name: 'new' })
    assert.deepEqual(targetOf(file, '/to/old', 'file'), { directory: '/to', name: 'old' })
    assert.deepEqual(targetOf(file, '/to', 'directory'), { directory: '/to', name: 'file' })
    assert.deepEqual(targetOf(file, '/to/', 'directory'), { directory: '/to', name: 'file' })
    assert.deepEqual(targetOf(file, '/', 'directory'), { directory: '/', name: 'file' })
  })

  it('becomes no directory', () => {
    assert.throws(() => targetOf(file, '/to/new/', undefined), /no such directory/)
    assert.throws(() => targetOf(file, '/to/old/', 'file'), /not a directory/)
  })
})

describe('a directory that is copied', () => {
  it('becomes a new one with the same content, or goes into one', () => {
    assert.deepEqual(targetOf(directory, '/to/new', undefined), { directory: '/to', name: 'new' })
    assert.deepEqual(targetOf(directory, '/to/new/', undefined), { directory: '/to', name: 'new' })
    assert.deepEqual(targetOf(directory, '/to', 'directory'), { directory: '/to', name: 'dir' })
    assert.deepEqual(targetOf({ ...directory, path: '/from/dir/' }, '/to', 'directory'), {
      directory: '/to',
      name: 'dir',
    })
  })

  it('with a dot behind it gives its content', () => {
    assert.deepEqual(targetOf(content, '/to', 'directory'), { directory: '/to', name: '.' })
    assert.deepEqual(targetOf(content, '/to/new', undefined), { directory: '/to', name: 'new' })
    assert.deepEqual(targetOf({ path: '.', isDirectory: true }, '/to', 'directory'), {
      directory: '/to',
      name: '.',
    })
  })

  it('replaces no file', () => {
    assert.throws(() => targetOf(directory, '/to/old', 'file'), /cannot copy directory/)
  })
})

describe('owners', () => {
  const mappings = {
    uidMappings: [{ containerID: 0, hostID: 100_000, size: 10 }],
    gidMappings: [{ containerID: 0, hostID: 200_000, size: 10 }],
  }

  it('are counted from the mapping, there and back', () => {
    assert.deepEqual(hostOwner(3, 4, mappings), { uid: 100_003, gid: 200_004 })
    assert.deepEqual(containerOwner(100_003, 200_004, mappings), { uid: 3, gid: 4 })
    assert.deepEqual(containerOwner(0, 200_010, mappings), { uid: 65_534, gid: 65_534 })
    assert.deepEqual(containerOwner(3, 4, {}), { uid: 3, gid: 4 })
  })
})
