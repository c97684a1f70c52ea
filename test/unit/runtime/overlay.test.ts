// The root file system: which layers, and whether what is written need outlive a crash of the machine.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { OverlaySource, Spec } from '../../../src/runtime/spec.ts'
import { overlaySteps } from '../../../src/runtime/steps/overlay.ts'

const spec = { root: { path: '/c/rootfs' } } as Spec
const source: OverlaySource = { lower: ['/l/a', '/l/b:c'], upper: '/c/upper', work: '/c/work' }

describe('the overlay', () => {
  it('has the topmost layer first, and is safe from a crash', () => {
    const [{ ops, why } = assert.fail()] = overlaySteps(spec, source, '/run/c')
    assert.deepEqual(ops, [
      {
        op: 'mount',
        source: 'overlay',
        target: '/c/rootfs',
        type: 'overlay',
        flags: [],
        data: 'lowerdir=/l/b\\:c:/l/a,upperdir=/c/upper,workdir=/c/work',
      },
    ])
    assert.doesNotMatch(why, /Volatile/)
  })

  it('flushes nothing where the container goes at its end, and may be mounted again', () => {
    const [{ ops, why } = assert.fail()] = overlaySteps(spec, { ...source, isVolatile: true }, '/run/c')
    const [mark, mount] = ops
    assert.deepEqual(mark, { op: 'remove_tree', path: '/c/work/work/incompat', tolerate: ['ENOENT'] })
    assert.match((mount as { data: string }).data, /,workdir=\/c\/work,volatile$/)
    assert.match(why, /Volatile, the overlay flushes nothing/)
  })
})
