import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  capabilitiesOf,
  capabilityMask,
  capabilityNames,
  chooseCapabilities,
  defaultCapabilities,
} from '../../../src/runtime/capabilities.ts'
import { MinictrError } from '../../../src/system/error.ts'

const complete = { boundingSet: (1n << 41n) - 1n }
const header = '/usr/include/linux/capability.h'

test('the numbers are those of the kernel header', t => {
  let text: string
  try {
    text = readFileSync(header, 'utf8')
  } catch {
    t.skip(`${header} is not installed (linux-libc-dev)`)
    return
  }
  const defined = [...text.matchAll(/^#define (CAP_[A-Z_]+)\s+(\d+)\s*$/gm)]
  assert.ok(defined.length >= 38)
  for (const [, name, number] of defined) assert.equal(capabilityNames[Number(number)], name)
})

test('the default set is the one Docker documents', () => {
  // 00000000a80425fb is what `docker run … grep CapEff /proc/self/status` prints.
  assert.equal(capabilityMask(defaultCapabilities), 0xa80425fbn)
  assert.deepEqual(chooseCapabilities({}, complete), capabilitiesOf(0xa80425fbn))
})

test('names are taken in any case, with and without the prefix', () => {
  for (const name of ['NET_ADMIN', 'net_admin', 'CAP_NET_ADMIN', 'cap_net_admin']) {
    assert.ok(chooseCapabilities({ add: [name] }, complete).includes('CAP_NET_ADMIN'), name)
  }
})

test('add and drop follow Docker', () => {
  const names = (request: Parameters<typeof chooseCapabilities>[0]) => chooseCapabilities(request, complete)
  assert.deepEqual(names({ drop: ['ALL'] }), [])
  assert.deepEqual(names({ drop: ['all'], add: ['chown', 'KILL'] }), ['CAP_CHOWN', 'CAP_KILL'])
  assert.equal(names({ add: ['ALL'] }).length, 41)
  assert.equal(names({ add: ['ALL'], drop: ['SYS_ADMIN'] }).includes('CAP_SYS_ADMIN'), false)
  assert.equal(names({ add: ['ALL'], drop: ['ALL'] }).length, 41)
  assert.equal(names({ drop: ['MKNOD'] }).length, 13)
  assert.ok(names({ drop: ['CHOWN'], add: ['CHOWN'] }).includes('CAP_CHOWN'))
  assert.equal(names({ privileged: true, drop: ['ALL'] }).length, 41)
})

test('an unknown name and a capability the host lacks are errors that name them', () => {
  assert.throws(() => chooseCapabilities({ add: ['FLY'] }, complete), {
    name: MinictrError.name,
    message: /--cap-add FLY/,
  })
  assert.throws(() => chooseCapabilities({ drop: ['FLY'] }, complete), { message: /--cap-drop FLY/ })
  const host = { boundingSet: complete.boundingSet & ~(1n << 24n) }
  assert.throws(() => chooseCapabilities({ add: ['SYS_RESOURCE'] }, host), { message: /CAP_SYS_RESOURCE/ })
})

test('a privileged container gets what the host has, no more', () => {
  const host = { boundingSet: 0b1011n }
  assert.deepEqual(chooseCapabilities({ privileged: true }, host), [
    'CAP_CHOWN',
    'CAP_DAC_OVERRIDE',
    'CAP_FOWNER',
  ])
  assert.deepEqual(chooseCapabilities({ add: ['ALL'] }, host).length, 3)
  assert.deepEqual(chooseCapabilities({}, host), ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER'])
})
