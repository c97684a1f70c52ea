// The steps of the mounts: their names, and the calls by which a bind mount becomes read-only.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PlanContext } from '../../../src/runtime/context.ts'
import { showOp } from '../../../src/runtime/ops.ts'
import type { Mount, Spec } from '../../../src/runtime/spec.ts'
import { copyTiedMounts, mountSteps } from '../../../src/runtime/steps/mounts.ts'

const context = { bindSources: {}, runDirectory: '/run/ID' } as unknown as PlanContext

function stepsOf(...mounts: Mount[]) {
  return mountSteps({ root: { path: '/root' }, mounts, linux: {} } as Spec, context)
}

const volume = (destination: string): Mount => ({ destination, type: 'overlay', source: 'overlay' })

describe('the steps of mounts', () => {
  it('have names of their own, whatever an image calls its volumes', () => {
    const places = ['/a/b', '/a-b', '/A.b', '/overlay', '/x\nreboot\n', '/é']
    const ids = stepsOf(...places.map(volume)).map(({ id }) => id)
    const expected = 'mount-a-b mount-a-b-2 mount-a-b-3 mount-overlay-2 mount-x-reboot mount-root'
    assert.deepEqual(ids, expected.split(' '))
  })

  it('keep a mount tied to the host by a copy made before the host’s tree is made private', () => {
    const mount: Mount = {
      destination: '/x',
      type: 'bind',
      source: '/y',
      options: ['rbind', 'rro', 'rslave'],
    }
    assert.deepEqual(copyTiedMounts({ mounts: [mount] } as Spec).map(showOp), [
      'mount-for-/x = open_tree(AT_FDCWD, "/y", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE)',
    ])
    assert.deepEqual(stepsOf(mount)[0]!.ops.slice(1).map(showOp), [
      'move_mount(mount-for-/x, "", AT_FDCWD, "/root/x", MOVE_MOUNT_F_EMPTY_PATH)',
      'close(mount-for-/x)',
      'mount_setattr(AT_FDCWD, "/root/x", AT_RECURSIVE, {set: MOUNT_ATTR_RDONLY, clear: 0})',
      'mount(NULL, "/root/x", NULL, MS_REC|MS_SLAVE, NULL)',
    ])
  })

  it('make a bind mount read-only and leave its other attributes as its source has them', () => {
    const [step] = stepsOf({ destination: '/x', type: 'bind', source: '/y', options: ['rbind', 'ro'] })
    assert.deepEqual(step!.ops.slice(1).map(showOp), [
      'mount("/y", "/root/x", NULL, MS_BIND|MS_REC, NULL)',
      'mount_setattr(AT_FDCWD, "/root/x", 0, {set: MOUNT_ATTR_RDONLY, clear: 0})',
    ])
  })
})
