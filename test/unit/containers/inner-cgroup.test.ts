// The cgroup of a process that joins a container: never one outside of it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cgroupBelow } from '../../../src/containers/inner-cgroup.ts'

test('the first process’s cgroup counts where it is below the container’s', () => {
  const v1 = '4:memory:/minictr/c0ffee/x\n1:name=systemd:/minictr/c0ffee\n'
  assert.equal(
    cgroupBelow('/minictr/c0ffee', `${v1}0::/minictr/c0ffee/init.scope\n`),
    '/minictr/c0ffee/init.scope',
  )
  assert.equal(cgroupBelow('/minictr/c0ffee', `${v1}0::/minictr/c0ffee\n`), undefined)
  assert.equal(cgroupBelow('/minictr/c0ffee', `${v1}0::/minictr/c0ffee2/init\n`), undefined)
  assert.equal(cgroupBelow('/minictr/c0ffee', '0::/user.slice\n'), undefined)
  assert.equal(cgroupBelow('/minictr/c0ffee', v1), undefined)
})
