// Ops on files: what each one leaves behind, as another process sees it.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { call, errnoOf, inSandbox, succeed, tolerating } from './executors.ts'

test('mkdir makes a directory with exactly the mode asked for, whatever the umask', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    await succeed(executor, call('umask', 0o077), call('mkdir', '', `${directory}/a`, 0o1757, 0))
    assert.equal(lstatSync(`${inside}/a`).mode & 0o7777, 0o1757)
    assert.equal(await errnoOf(executor, call('mkdir', '', `${directory}/a`, 0o755, 0)), 'EEXIST')
  }))

test('mkdir with parents makes what is missing and is content with what is there', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    await succeed(
      executor,
      call('mkdir', directory, '/x/y//z/', 0o700, 1),
      call('mkdir', directory, 'x/y/z', 0o755, 1),
      call('mkdir', '', `${directory}/p/q`, 0o711, 1),
    )
    assert.equal(lstatSync(`${inside}/x/y`).mode & 0o777, 0o755)
    assert.equal(lstatSync(`${inside}/x/y/z`).mode & 0o777, 0o700)
    assert.equal(lstatSync(`${inside}/p/q`).mode & 0o777, 0o711)
    writeFileSync(`${inside}/file`, '')
    assert.equal(await errnoOf(executor, call('mkdir', directory, 'file/sub', 0o755, 1)), 'ENOTDIR')
    assert.equal(await errnoOf(executor, call('mkdir', directory, 'file', 0o755, 1)), 'EEXIST')
  }))

test('write_file creates, insists on being the first, or only writes what exists', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    await succeed(
      executor,
      call('umask', 0o077),
      call('write_file', directory, 'a', 'first and long', 0, 0o666),
      call('write_file', directory, 'a', 'second', 0, 0o600),
      call('write_file', directory, 'b', new Uint8Array([0, 1, 255]), 1, 0o640),
      call('write_file', '', `${directory}/b`, 'c', 2, 0),
    )
    assert.equal(readFileSync(`${inside}/a`, 'utf8'), 'second')
    assert.equal(lstatSync(`${inside}/a`).mode & 0o777, 0o666)
    assert.equal(readFileSync(`${inside}/b`, 'utf8'), 'c')
    assert.equal(await errnoOf(executor, call('write_file', directory, 'b', '', 1, 0o644)), 'EEXIST')
    assert.equal(await errnoOf(executor, call('write_file', directory, 'none', '', 2, 0)), 'ENOENT')
    assert.equal(existsSync(`${inside}/none`), false)
  }))

test('write_file reports what the kernel did not take', () =>
  inSandbox(async ({ executor, directory }) => {
    await succeed(
      executor,
      call('mkdir', directory, 'small', 0o755, 0),
      call('mount', 'tmpfs', directory, 'small', 'tmpfs', 0, 'size=4k', 0),
    )
    const errno = await errnoOf(
      executor,
      call('write_file', directory, 'small/f', 'x'.repeat(10_000), 0, 0o644),
    )
    assert.equal(errno, 'ENOSPC')
    assert.equal(
      await errnoOf(executor, call('write_file', directory, 'small/claim', 'x'.repeat(10_000), 1, 0o600)),
      'ENOSPC',
    )
    assert.equal(
      await errnoOf(executor, call('unlink', directory, 'small/claim')),
      'ENOENT',
      'a claim has its name only when it is whole',
    )
  }))

test('write_file does not wait for the reader of a fifo', () =>
  inSandbox(async ({ executor, directory }) => {
    await succeed(executor, call('mknod', directory, 'fifo', 0o010644, 0, 0))
    assert.equal(await errnoOf(executor, call('write_file', directory, 'fifo', 'x', 0, 0o644)), 'ENXIO')
  }))

test('mknod, symlink, link, unlink and rmdir make and remove names', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    await succeed(
      executor,
      call('umask', 0o077),
      call('mknod', directory, 'null', 0o020666, 1, 3),
      call('mknod', directory, 'file', 0o100644, 0, 0),
      call('symlink', directory, 'sym', 'no/such/../target'),
      call('link', directory, 'hard', 'sym'),
      call('mkdir', directory, 'dir', 0o755, 0),
    )
    const device = lstatSync(`${inside}/null`)
    assert.equal(device.isCharacterDevice(), true)
    assert.equal(device.rdev, 0x103)
    assert.equal(device.mode & 0o777, 0o666)
    assert.equal(readlinkSync(`${inside}/hard`), 'no/such/../target')
    assert.equal(await errnoOf(executor, call('rmdir', directory, 'file')), 'ENOTDIR')
    await succeed(
      executor,
      ...['null', 'file', 'sym', 'hard'].map(name => call('unlink', directory, name)),
      call('rmdir', directory, 'dir'),
    )
    assert.deepEqual(readdirSync(inside), [])
  }))

test('owner, mode, time and extended attributes; of a link itself where there is a choice', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex')
    await succeed(
      executor,
      call('mknod', directory, 'file', 0o100644, 0, 0),
      call('symlink', directory, 'sym', 'file'),
      call('lchown', directory, 'sym', 1000, 2000),
      call('lchown', directory, 'file', 3, 4),
      call('chmod', directory, 'sym', 0o4711),
      call('utimens', directory, 'sym', 86400, 5),
      call('utimens', directory, 'file', 1_700_000_000, 123_456_789),
      call('lsetxattr', directory, 'file', 'security.capability', capability),
      call('lsetxattr', directory, 'sym', 'trusted.note', 'of the link'),
    )
    const file = lstatSync(`${inside}/file`, { bigint: true })
    const link = lstatSync(`${inside}/sym`)
    assert.deepEqual([file.uid, file.gid, file.mode & 0o7777n], [3n, 4n, 0o4711n])
    assert.equal(file.mtimeNs, 1_700_000_000_123_456_789n)
    const seen = execFileSync('getfattr', ['-h', '-d', '-m', '-', '-e', 'hex', 'file', 'sym'], {
      cwd: inside,
      encoding: 'utf8',
    })
    assert.match(seen, new RegExp(`^# file: file\nsecurity.capability=0x${capability.toString('hex')}$`, 'm'))
    assert.match(
      seen,
      new RegExp(`^# file: sym\ntrusted.note=0x${Buffer.from('of the link').toString('hex')}$`, 'm'),
    )
    assert.deepEqual([link.uid, link.gid, Math.round(link.mtimeMs)], [1000, 2000, 86_400_000])
  }))

test('read_file, readlink and stat_path tell what is there', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    writeFileSync(`${inside}/f`, 'content')
    symlinkSync('f', `${inside}/l`)
    const [read, link, file, directoryItself, linkItself] = await succeed(
      executor,
      call('read_file', directory, 'l'),
      call('readlink', directory, 'l'),
      call('stat_path', directory, 'f'),
      call('stat_path', directory, '/'),
      call('stat_path', directory, 'l'),
    )
    assert.equal(String(read!.data), 'content')
    assert.equal(String(link!.data), 'f')
    assert.equal(String(file!.data), 'file 0644 0 0 7 0:0')
    assert.match(String(directoryItself!.data), /^directory 1777 0 0 /)
    assert.match(String(linkItself!.data), /^symlink /)
    const [process] = await succeed(executor, call('read_file', '', '/proc/self/comm'))
    assert.equal(String(process!.data), 'minictr-init\n')
    writeFileSync(`${inside}/large`, Buffer.alloc((1 << 20) + 1))
    assert.equal(await errnoOf(executor, call('read_file', directory, 'large')), 'EFBIG')
  }))

test('remove_tree removes all, follows no link, and stops at a mount', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    mkdirSync(`${inside}/keep`)
    writeFileSync(`${inside}/keep/file`, '')
    mkdirSync(`${inside}/tree/a/b`, { recursive: true })
    writeFileSync(`${inside}/tree/a/b/file`, '')
    symlinkSync(`${directory}/keep`, `${inside}/tree/a/link`)
    symlinkSync('/nowhere', `${inside}/tree/dangling`)
    const [removed] = await succeed(executor, call('remove_tree', directory, 'tree'))
    assert.equal(removed!.result, 6)
    assert.deepEqual(readdirSync(inside), ['keep'])
    assert.deepEqual(readdirSync(`${inside}/keep`), ['file'])
    symlinkSync('keep', `${inside}/link`)
    await succeed(executor, call('remove_tree', directory, 'link'))
    assert.deepEqual(readdirSync(inside), ['keep'])

    mkdirSync(`${inside}/mounted/here`, { recursive: true })
    await succeed(executor, call('mount', `${directory}/keep`, directory, 'mounted/here', '', 4096, '', 0))
    assert.equal(await errnoOf(executor, call('remove_tree', directory, 'mounted')), 'EXDEV')
    assert.deepEqual(readdirSync(`${inside}/keep`), ['file'])
    assert.equal(await errnoOf(executor, call('remove_tree', directory, 'absent')), 'ENOENT')
  }))

test('remove_tree of a path on another file system takes the name away at once, whatever becomes of the rest', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    for (const hidden of ['.removed-tree', '.removed-tree-1']) {
      mkdirSync(`${inside}/tree/below/here`, { recursive: true })
      const keep = call('mount', 'tmpfs', directory, 'tree/below/here', 'tmpfs', 0, '', 0)
      await succeed(executor, keep)
      // The directory is itself where a file system is mounted.
      assert.equal(await errnoOf(executor, call('remove_tree', '', `${directory}/tree`)), 'EXDEV')
      assert.ok(!existsSync(`${inside}/tree`) && existsSync(`${inside}/${hidden}`))
    }
    for (const hidden of ['.removed-tree', '.removed-tree-1']) {
      const unmount = call('umount2', `${directory}/${hidden}/below/here`, 0)
      await succeed(executor, unmount, call('remove_tree', '', `${directory}/${hidden}`))
    }
    assert.deepEqual(readdirSync(inside), [])
  }))

test('remove_tree manages trees deeper than a process may have open descriptors', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    const levels = 3000
    const calls = [call('mkdir', '', `${directory}/deep`, 0o755, 0), call('chdir', `${directory}/deep`)]
    for (let level = 0; level < levels; level++)
      calls.push(call('mkdir', '', 'd', 0o755, 0), call('chdir', 'd'))
    await succeed(executor, ...calls, call('chdir', '/'))
    const [removed] = await succeed(executor, call('remove_tree', directory, 'deep'))
    assert.equal(removed!.result, levels + 1)
    assert.deepEqual(readdirSync(inside), [])
  }))

test('remove_tree gives itself the right to read where the owner has taken it away', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    await succeed(
      executor,
      call('mkdir', directory, 'home', 0o777, 0),
      call('setresuid', 1234),
      call('mkdir', directory, 'home/closed', 0o755, 0),
      call('write_file', directory, 'home/closed/file', 'x', 0, 0o600),
      call('chmod', directory, 'home/closed', 0),
      call('remove_tree', directory, 'home/closed'),
    )
    assert.deepEqual(readdirSync(`${inside}/home`), [])
  }))

test('open, close and fchdir work on numbered slots; what is not there is EBADF', () =>
  inSandbox(async ({ executor, directory, pid }) => {
    await succeed(executor, call('open', '', directory, 1, 7), call('fchdir', 7), call('close', 7))
    assert.equal(readlinkSync(`/proc/${pid}/cwd`), directory)
    assert.equal(await errnoOf(executor, call('close', 7)), 'EBADF')
    assert.equal(await errnoOf(executor, call('fchdir', 64)), 'EBADF')
    assert.equal(await errnoOf(executor, call('open', '', directory, 1, 64)), 'EBADF')
    assert.equal(await errnoOf(executor, call('open', '', '/proc/self/comm', 1, 1)), 'ENOTDIR')
    await succeed(executor, call('chdir', '/'))
  }))

test('syncfs flushes the file system of a path', () =>
  inSandbox(async ({ executor, directory }) => {
    await succeed(executor, call('syncfs', directory))
    assert.equal(await errnoOf(executor, call('syncfs', `${directory}/absent`)), 'ENOENT')
  }))

test('a batch stops at the first failure, and goes on after a tolerated one', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    const { answers, closed } = await executor.perform([
      call('mkdir', directory, 'a', 0o755, 0),
      tolerating(['ENOENT', 'EEXIST'], 'mkdir', directory, 'a', 0o755, 0),
      call('mkdir', directory, 'b', 0o755, 0),
      tolerating(['ENOENT'], 'mkdir', directory, 'a', 0o755, 0),
      call('mkdir', directory, 'c', 0o755, 0),
    ])
    assert.deepEqual(
      answers.map(answer => answer.errno),
      [undefined, 'EEXIST', undefined, 'EEXIST'],
    )
    assert.equal(closed, false)
    assert.ok(answers[0]!.elapsedNs > 0)
    assert.deepEqual(readdirSync(inside), ['a', 'b'])
  }))

test('unlink_claim gives back a claim only while the name still stands for it', t => {
  const directory = mkdtempSync(join(tmpdir(), 'minictr-claim-'))
  const name = join(directory, 'name')
  t.after(() => rmSync(directory, { recursive: true }))
  return inSandbox(async ({ executor }) => {
    writeFileSync(name, 'mine')
    assert.equal(await errnoOf(executor, call('unlink_claim', '', name, 'another’s')), 'ESTALE')
    await succeed(executor, call('unlink_claim', '', name, 'mine'))
    assert.equal(await errnoOf(executor, call('unlink_claim', '', name, 'mine')), 'ENOENT')

    // Somebody else is giving it back just now, and a third one claims the name.
    writeFileSync(name, 'mine')
    const other = spawn('flock', [name, 'sh', '-c', 'echo locked; read go'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await once(other.stdout, 'data')
    const late = executor.perform([call('unlink_claim', '', name, 'mine')])
    await sleep(100)
    rmSync(name, { force: true })
    writeFileSync(name, 'mine')
    other.stdin.end('\n')
    assert.deepEqual((await late).answers[0]?.errno, 'ESTALE')
    assert.equal(readFileSync(name, 'utf8'), 'mine')
  })
})
