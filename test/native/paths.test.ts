// Scoped paths in a hostile tree: whatever its links say, nothing outside the root is touched.

import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { test } from 'node:test'
import type { Call } from '../../src/system/executor.ts'
import { call, errnoOf, inSandbox, MS, type Sandbox, succeed } from './executors.ts'

/** A root with links that try to lead out of it to `outside`, which lies beside it. */
function makeHostileRoot({ directory, inside }: Sandbox): { root: string; outside: string } {
  mkdirSync(`${inside}/root/real/deeper`, { recursive: true })
  mkdirSync(`${inside}/outside`)
  writeFileSync(`${inside}/outside/file`, 'untouched')
  symlinkSync(`${directory}/outside`, `${inside}/root/absolute`)
  symlinkSync('../outside', `${inside}/root/relative`)
  symlinkSync('../../../../../../../../..', `${inside}/root/far`)
  symlinkSync('/proc/self/root', `${inside}/root/magic`)
  symlinkSync('/real', `${inside}/root/fine`)
  symlinkSync('loop', `${inside}/root/loop`)
  return { root: `${directory}/root`, outside: `${inside}/outside` }
}

const lures = (directory: string) => [
  'absolute',
  'relative',
  `far/${directory}/outside`,
  `magic/${directory}/outside`,
  'real/../../outside',
  '../outside',
  '/../../outside',
  'real/deeper/../../../outside',
]

const acts: [string, (root: string, path: string) => Call][] = [
  ['mkdir', (root, path) => call('mkdir', root, `${path}/new`, 0o755, 0)],
  ['rmdir', (root, path) => call('rmdir', root, `${path}/file`)],
  ['unlink', (root, path) => call('unlink', root, `${path}/file`)],
  ['remove_tree', (root, path) => call('remove_tree', root, `${path}/file`)],
  ['symlink', (root, path) => call('symlink', root, `${path}/new`, 'x')],
  ['link', (root, path) => call('link', root, 'linked', `${path}/file`)],
  ['mknod', (root, path) => call('mknod', root, `${path}/new`, 0o100644, 0, 0)],
  ['chmod', (root, path) => call('chmod', root, `${path}/file`, 0)],
  ['lchown', (root, path) => call('lchown', root, `${path}/file`, 1, 1)],
  ['lsetxattr', (root, path) => call('lsetxattr', root, `${path}/file`, 'trusted.x', 'y')],
  ['utimens', (root, path) => call('utimens', root, `${path}/file`, 0, 0)],
  ['write_file', (root, path) => call('write_file', root, `${path}/file`, 'gone', 0, 0o644)],
  ['open', (root, path) => call('open', root, `${path}/file`, 2, 0)],
  ['mount', (root, path) => call('mount', 'tmpfs', root, path, 'tmpfs', 0, '', 0)],
  ['mount_setattr', (root, path) => call('mount_setattr', root, path, 0, 1, 0, 0)],
  ['read_file', (root, path) => call('read_file', root, `${path}/file`)],
  ['readlink', (root, path) => call('readlink', root, `${path}/file`)],
  ['stat_path', (root, path) => call('stat_path', root, `${path}/file`)],
]

/** All that an act could have changed: ctime tells of every one. */
function attributesOf(path: string) {
  const { ino, mode, uid, gid, nlink, mtimeMs, ctimeMs } = lstatSync(path)
  return { ino, mode, uid, gid, nlink, mtimeMs, ctimeMs }
}

for (const [name, act] of acts) {
  test(`${name} does not leave the root`, () =>
    inSandbox(async sandbox => {
      const { root, outside } = makeHostileRoot(sandbox)
      const before = attributesOf(`${outside}/file`)
      for (const lure of lures(sandbox.directory)) {
        const errno = await errnoOf(sandbox.executor, act(root, lure))
        assert.match(String(errno), /^(ENOENT|ELOOP|EXDEV)$/, `${lure}: ${errno}`)
      }
      assert.deepEqual(readdirSync(outside), ['file'])
      assert.equal(readFileSync(`${outside}/file`, 'utf8'), 'untouched')
      assert.deepEqual(attributesOf(`${outside}/file`), before)
      const mounts = readFileSync(`/proc/${sandbox.pid}/mountinfo`, 'utf8')
      assert.equal(mounts.includes('/outside'), false)
    }))
}

test('mkdir with parents builds inside the root what a link names outside', () =>
  inSandbox(async sandbox => {
    const { root, outside } = makeHostileRoot(sandbox)
    const { executor, inside, directory } = sandbox
    for (const lure of lures(directory))
      await executor.perform([call('mkdir', root, `${lure}/new/sub`, 0o755, 1)])
    assert.deepEqual(readdirSync(outside), ['file'])
    await succeed(
      executor,
      call('mkdir', root, 'fine/a/b', 0o755, 1),
      call('mkdir', root, '/../../top', 0o755, 1),
    )
    assert.equal(existsSync(`${inside}/root/real/a/b`), true)
    assert.equal(existsSync(`${inside}/root/top`), true)
    assert.equal(existsSync(`${inside}/top`), false)
  }))

test('a link to nothing is followed inside the root, for directories and for files to be mounted on', () =>
  inSandbox(async sandbox => {
    const { root, outside } = makeHostileRoot(sandbox)
    const { executor, inside } = sandbox
    symlinkSync('../first', `${inside}/root/real/chain`)
    symlinkSync('/real/missing/last', `${inside}/root/first`)
    await succeed(
      executor,
      call('mkdir', root, 'relative/made', 0o700, 1),
      call('mknod', root, 'real/chain', 0o100644, 0, 0),
    )
    assert.equal(lstatSync(`${inside}/root/outside/made`).mode & 0o7777, 0o700)
    assert.ok(lstatSync(`${inside}/root/real/missing/last`).isFile())
    assert.equal(await errnoOf(executor, call('mknod', root, 'real/chain', 0o100644, 0, 0)), 'EEXIST')
    assert.equal(await errnoOf(executor, call('mkdir', root, 'loop/x', 0o755, 1)), 'ELOOP')
    assert.equal(await errnoOf(executor, call('mknod', root, 'loop', 0o100644, 0, 0)), 'ELOOP')
    assert.deepEqual(readdirSync(outside), ['file'])
  }))

test('absolute links mean the root itself, so a tree that is used to them works', () =>
  inSandbox(async sandbox => {
    const { root } = makeHostileRoot(sandbox)
    const { executor, inside } = sandbox
    await succeed(
      executor,
      call('write_file', root, '/fine/file', 'here', 0, 0o644),
      call('symlink', root, 'etc', '/real/deeper'),
      call('mount', 'tmpfs', root, '/etc', 'tmpfs', 0, '', 0),
    )
    assert.equal(readFileSync(`${inside}/root/real/file`, 'utf8'), 'here')
    assert.match(readFileSync(`/proc/${sandbox.pid}/mountinfo`, 'utf8'), / \S+\/root\/real\/deeper /)
  }))

test('magic links of a proc inside the root are not followed', () =>
  inSandbox(async sandbox => {
    const { root, outside } = makeHostileRoot(sandbox)
    const { executor, inside, directory } = sandbox
    mkdirSync(`${inside}/root/proc`)
    await succeed(executor, call('mount', 'proc', root, 'proc', 'proc', 0, '', 0))
    const path = `proc/self/root${directory}/outside/file`
    assert.equal(await errnoOf(executor, call('write_file', root, path, 'gone', 2, 0)), 'ELOOP')
    assert.equal(readFileSync(`${outside}/file`, 'utf8'), 'untouched')
  }))

test('a mount with nofollow refuses a link as its target', () =>
  inSandbox(async sandbox => {
    const { root } = makeHostileRoot(sandbox)
    const { executor } = sandbox
    assert.equal(await errnoOf(executor, call('mount', 'tmpfs', root, 'fine', 'tmpfs', 0, '', 1)), 'ELOOP')
    assert.equal(
      await errnoOf(executor, call('mount', 'tmpfs', '', `${root}/fine`, 'tmpfs', 0, '', 1)),
      'ELOOP',
    )
    await succeed(
      executor,
      call('mount', 'tmpfs', root, 'real', 'tmpfs', 0, '', 1),
      call('mount', '', root, 'real', '', MS.bind | 32 | MS.rdonly, '', 1),
    )
    assert.equal(await errnoOf(executor, call('mkdir', root, 'real/x', 0o755, 0)), 'EROFS')
  }))

test('a name that is none is refused', () =>
  inSandbox(async sandbox => {
    const { root } = makeHostileRoot(sandbox)
    for (const path of ['/', '.', '..', 'real/..', 'real/.', '']) {
      for (const name of ['unlink', 'rmdir', 'remove_tree']) {
        assert.equal(await errnoOf(sandbox.executor, call(name, root, path)), 'EINVAL', `${name} ${path}`)
      }
    }
    assert.equal(await errnoOf(sandbox.executor, call('write_file', root, 'loop', '', 0, 0o644)), 'ELOOP')
    assert.equal(readlinkSync(`${sandbox.inside}/root/loop`), 'loop')
  }))

test('a path with a NUL in it names nothing', () =>
  inSandbox(async ({ executor, directory }) => {
    assert.equal(await errnoOf(executor, call('mkdir', directory, 'a\0b', 0o755, 0)), 'EINVAL')
  }))
