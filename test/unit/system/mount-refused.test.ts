// Why a user namespace may not mount something.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { likelyCause } from '../../../src/system/likely-cause.ts'
import { mountRefusal } from '../../../src/system/mount-refused.ts'

const usual =
  '20 1 0:5 / /proc rw - proc proc rw\n21 20 0:6 / /proc/sys/fs/binfmt_misc rw - binfmt_misc b rw\n22 1 0:7 / /sys rw - sysfs s rw\n23 22 0:8 / /sys/fs/cgroup rw - cgroup2 c rw'

describe('a mount refused in a user namespace', () => {
  it('may be of a file system that is not for it', () => {
    assert.match(mountRefusal({ type: 'ext4' }, usual)!, /^ext4 is none of the file systems/)
  })

  it('may be of a proc or sysfs that would show what is covered on the host', () => {
    const covered = `${usual}\n24 20 0:9 / /proc/kcore rw - tmpfs t rw\n25 22 0:9 / /sys/firmware rw - tmpfs t rw`
    assert.match(mountRefusal({ type: 'proc' }, covered)!, /^\/proc\/kcore covers a part of \/proc/)
    assert.match(mountRefusal({ type: 'sysfs' }, covered)!, /^\/sys\/firmware covers a part of \/sys/)
    assert.equal(mountRefusal({ type: 'proc' }, usual), undefined)
    assert.equal(mountRefusal({ type: 'tmpfs' }, covered), undefined)
  })

  it('may be a change of flags that are locked', () => {
    assert.match(mountRefusal({ flags: ['MS_REMOUNT', 'MS_BIND'] }, usual)!, /keeps the flags/)
    assert.equal(mountRefusal({ flags: ['MS_BIND'] }, usual), undefined)
  })
})

describe('a kernel that is too old', () => {
  it('is told which one is needed', () => {
    assert.match(
      likelyCause({ op: 'mkdir', in: '/r' }, 'ENOSYS')!,
      /lacks a system call of mkdir: minictr needs Linux 5\.12/,
    )
  })
})
