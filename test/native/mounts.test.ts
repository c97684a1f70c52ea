// Ops on mounts, seen in the mount table of the process they were performed in (proc_pid_mountinfo(5)).

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { call, errnoOf, inSandbox, MS, NEW, succeed } from './executors.ts'

const MNT_DETACH = 2
const RDONLY = 1
const NOEXEC = 8

function mountsUnder(pid: number, directory: string): { path: string; options: string; rest: string }[] {
  return readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .map(line => line.split(' '))
    .filter(fields => fields[4]?.startsWith(`${directory}/`))
    .map(fields => ({
      path: fields[4]!.slice(directory.length),
      options: fields[5]!,
      rest: fields.slice(6).join(' '),
    }))
}

test('mount and umount2 change only this mount namespace', () =>
  inSandbox(async ({ executor, pid, directory, inside }) => {
    mkdirSync(`${inside}/m`)
    await succeed(executor, call('mount', 'source', directory, 'm', 'tmpfs', 2 | 4, 'size=1m,mode=700', 0))
    const [mount] = mountsUnder(pid, directory)
    assert.equal(mount!.path, '/m')
    assert.match(mount!.options, /nosuid,nodev/)
    assert.match(mount!.rest, /tmpfs source .*size=1024k,mode=700/)
    assert.deepEqual(mountsUnder(process.pid, directory), [])
    await succeed(executor, call('umount2', `${directory}/m`, MNT_DETACH))
    assert.deepEqual(mountsUnder(pid, directory), [])
    assert.equal(await errnoOf(executor, call('umount2', `${directory}/m`, 0)), 'EINVAL')
    assert.equal(await errnoOf(executor, call('mount', 'x', directory, 'm', 'nofs', 0, '', 0)), 'ENODEV')
  }))

test('a bind mount, made read-only by a remount', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    mkdirSync(`${inside}/from/sub`, { recursive: true })
    mkdirSync(`${inside}/to`)
    await succeed(
      executor,
      call('mount', `${directory}/from`, directory, 'to', '', MS.bind | MS.rec, '', 0),
      call('mount', '', directory, 'to', '', MS.bind | MS.remount | MS.rdonly, '', 0),
    )
    assert.deepEqual(readdirSync(`${inside}/to`), ['sub'])
    assert.equal(await errnoOf(executor, call('mkdir', directory, 'to/x', 0o755, 0)), 'EROFS')
    await succeed(executor, call('mkdir', directory, 'from/x', 0o755, 0))
  }))

test('mount_setattr sets, clears and reaches the mounts below', () =>
  inSandbox(async ({ executor, pid, directory, inside }) => {
    mkdirSync(`${inside}/m`)
    await succeed(
      executor,
      call('mount', 'outer', directory, 'm', 'tmpfs', 0, '', 0),
      call('mkdir', directory, 'm/n', 0o755, 0),
      call('mount', 'inner', directory, 'm/n', 'tmpfs', 0, '', 0),
      call('mount_setattr', directory, 'm', 1, RDONLY | NOEXEC, 0, 0),
    )
    assert.deepEqual(
      mountsUnder(pid, directory).map(({ path, options }) => [path, options]),
      [
        ['/m', 'ro,noexec,relatime'],
        ['/m/n', 'ro,noexec,relatime'],
      ],
    )
    await succeed(executor, call('mount_setattr', '', `${directory}/m`, 0, 0, RDONLY, 1 << 20))
    const [outer, inner] = mountsUnder(pid, directory)
    assert.equal(outer!.options, 'rw,noexec,relatime')
    assert.match(outer!.rest, /^shared:/)
    assert.equal(inner!.options, 'ro,noexec,relatime')
    assert.equal(await errnoOf(executor, call('mount_setattr', directory, '.', 0, 1 << 30, 0, 0)), 'EINVAL')
  }))

test('pivot_root exchanges the root, and the old one is gone after umount2', () =>
  inSandbox(async ({ executor, pid, directory, inside }) => {
    mkdirSync(`${inside}/root`)
    await succeed(
      executor,
      call('mount', 'tmpfs', directory, 'root', 'tmpfs', 0, '', 0),
      call('write_file', directory, 'root/only-file', '', 0, 0o644),
      call('chdir', `${directory}/root`),
      call('pivot_root', '.', '.'),
      call('umount2', '.', MNT_DETACH),
      call('chdir', '/'),
    )
    assert.deepEqual(readdirSync(`/proc/${pid}/root/`), ['only-file'])
    const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trim().split('\n')
    assert.equal(mounts.length, 1)
    assert.match(mounts[0]!, / \/ \/ /)
  }))

test('copy_mount keeps a mount that attach_mount puts into a place', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    mkdirSync(`${inside}/from`)
    mkdirSync(`${inside}/to`)
    writeFileSync(`${inside}/from/file`, 'text')
    await succeed(
      executor,
      call('copy_mount', `${directory}/from`, 1, 3),
      call('attach_mount', 3, directory, '/to'),
    )
    assert.equal(readFileSync(`${inside}/to/file`, 'utf8'), 'text')
    assert.equal(await errnoOf(executor, call('copy_mount', `${directory}/nosuch`, 0, 4)), 'ENOENT')
    assert.equal(await errnoOf(executor, call('attach_mount', 4, directory, '/to')), 'EBADF')
  }))

test('idmap_mount shifts the owners of a tree without changing the tree', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    mkdirSync(`${inside}/from`)
    mkdirSync(`${inside}/to`)
    writeFileSync(`${inside}/from/file`, '')
    await succeed(
      executor,
      call('create_userns', '0 100000 65536\n', '0 200000 65536\n', 3),
      call('idmap_mount', `${directory}/from`, `${directory}/to`, 3),
    )
    const shifted = lstatSync(`${inside}/to/file`)
    assert.deepEqual([shifted.uid, shifted.gid], [100_000, 200_000])
    const own = lstatSync(`${inside}/from/file`)
    assert.deepEqual([own.uid, own.gid], [0, 0])
    assert.equal(
      await errnoOf(executor, call('idmap_mount', `${directory}/from`, `${directory}/to`, 4)),
      'EBADF',
    )
  }))

test('the host sees none of it', () =>
  inSandbox(async ({ executor, directory }) => {
    await succeed(executor, call('unshare', NEW.mount), call('mkdir', directory, 'm', 0o755, 0))
    const seen = execFileSync('findmnt', ['-n', '-o', 'TARGET'], { encoding: 'utf8' })
    assert.equal(seen.includes(directory), false)
  }))
