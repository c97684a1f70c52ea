import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceFilter } from '../../../src/runtime/device-filter.ts'
import { defaultDeviceRules, devicePolicy, privilegedDeviceRules } from '../../../src/runtime/device-rules.ts'
import type { DeviceRule } from '../../../src/runtime/spec.ts'

const block = 1
const char = 2
const access = { mknod: 1, read: 2, write: 4 }

/** What the kernel would answer: an interpreter of just the instructions of bpf(2) that the filter uses. */
function ask(
  rules: readonly DeviceRule[],
  type: number,
  major: number,
  minor: number,
  wanted: number,
): boolean {
  const bytes = deviceFilter(devicePolicy(rules))
  const view = new DataView(bytes.buffer)
  const contextWords = [((wanted << 16) | type) >>> 0, major, minor]
  const registers = new Array<number>(11).fill(0)
  for (let at = 0; ; at++) {
    assert.ok(at * 8 < bytes.length, 'ran off the end')
    const code = view.getUint8(at * 8)
    const to = view.getUint8(at * 8 + 1) & 15
    const from = view.getUint8(at * 8 + 1) >> 4
    const skip = view.getInt16(at * 8 + 2, true)
    const value = view.getInt32(at * 8 + 4, true)
    const left = registers[to]!
    if (code === 0x61) registers[to] = contextWords[skip / 4]!
    else if (code === 0xbc) registers[to] = registers[from]!
    else if (code === 0xb7) registers[to] = value
    else if (code === 0x54) registers[to] = (left & value) >>> 0
    else if (code === 0x74) registers[to] = left >>> value
    else if (code === 0x55) at += left === value ? 0 : skip
    else if (code === 0x15) at += left === value ? skip : 0
    else if (code === 0x5d) at += left === registers[from] ? 0 : skip
    else if (code === 0x95) return registers[0] === 1
    else assert.fail(`instruction 0x${code.toString(16)}`)
  }
}

test('the default rules open the pseudo devices and nothing else', () => {
  const readWrite = access.read | access.write
  for (const [major, minor] of [
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 1],
    [5, 2],
    [136, 4],
  ] as const) {
    assert.ok(ask(defaultDeviceRules, char, major, minor, readWrite), `c ${major}:${minor}`)
  }
  assert.equal(ask(defaultDeviceRules, block, 8, 0, access.read), false, 'a disk')
  assert.equal(
    ask(defaultDeviceRules, block, 1, 3, access.read),
    false,
    'a block device with the number of null',
  )
  assert.equal(ask(defaultDeviceRules, char, 1, 1, access.read), false, '/dev/mem')
  assert.equal(ask(defaultDeviceRules, char, 10, 229, access.read), false, '/dev/fuse')
})

test('nodes of any device may be made, but not made and opened', () => {
  assert.ok(ask(defaultDeviceRules, block, 8, 0, access.mknod))
  assert.equal(ask(defaultDeviceRules, block, 8, 0, access.mknod | access.read), false)
})

test('an exception allows what it names and no more', () => {
  const rules: DeviceRule[] = [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 10, minor: 229, access: 'r' },
    { allow: true, type: 'c', major: 10, minor: 200, access: 'r' },
    { allow: true, type: 'c', major: 10, minor: 200, access: 'w' },
  ]
  assert.ok(ask(rules, char, 10, 229, access.read))
  assert.equal(ask(rules, char, 10, 229, access.read | access.write), false)
  assert.ok(ask(rules, char, 10, 200, access.read | access.write), 'two rules for one device add up')
})

test('with everything allowed, an exception denies any access it names', () => {
  const rules: DeviceRule[] = [
    ...privilegedDeviceRules,
    { allow: false, type: 'b', major: 8, access: 'w' },
    { allow: false, type: 'c', major: 1, minor: 1, access: 'rwm' },
  ]
  assert.ok(ask(rules, block, 8, 3, access.read))
  assert.equal(ask(rules, block, 8, 3, access.read | access.write), false)
  assert.equal(ask(rules, char, 1, 1, access.read), false)
  assert.ok(ask(privilegedDeviceRules, block, 8, 3, access.read | access.write))
})

test('a rule can take its own kind back, but not a part of a wider one', () => {
  const rules: DeviceRule[] = [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 10, minor: 229, access: 'rwm' },
  ]
  const taken = [...rules, { allow: false, type: 'c', major: 10, minor: 229, access: 'w' } as const]
  assert.ok(ask(taken, char, 10, 229, access.read))
  assert.equal(ask(taken, char, 10, 229, access.write), false)
  const wide: DeviceRule[] = [{ allow: true, type: 'c', major: 136, access: 'rw' }]
  const part: DeviceRule = { allow: false, type: 'c', major: 136, minor: 0, access: 'r' }
  assert.throws(() => devicePolicy([rules[0]!, ...wide, part]), { message: /c 136:0 r .* c 136:\* rw/ })
})

test('rules for both kinds: with numbers they mean both, and only a complete one starts afresh', () => {
  const closed: DeviceRule = { allow: false, access: 'rwm' }
  const both: DeviceRule[] = [closed, { allow: true, type: 'a', major: 7, access: 'r' }]
  assert.ok(ask(both, block, 7, 1, access.read))
  assert.ok(ask(both, char, 7, 1, access.read))
  assert.equal(ask(both, block, 8, 1, access.read), false)
  const reading: DeviceRule[] = [closed, { allow: true, type: 'a', access: 'r' }]
  assert.ok(ask(reading, block, 8, 1, access.read))
  assert.equal(ask(reading, block, 8, 1, access.write), false)
  assert.equal(ask([...both, closed], char, 7, 1, access.read), false)
})
