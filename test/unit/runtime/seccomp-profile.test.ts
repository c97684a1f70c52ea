import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProfile, settleProfile } from '../../../src/runtime/seccomp/profile.ts'

const host = { architecture: 'amd64' as const, kernel: { major: 6, minor: 12 } }

function settled(profile: object, capabilities: string[] = []) {
  return settleProfile(parseProfile(JSON.stringify(profile), 'my.json'), capabilities, host)
}

test('a profile in Docker’s format becomes an OCI configuration for this processor', () => {
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    archMap: [
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] },
    ],
    syscalls: [
      { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW', args: [], comment: 'files' },
      { name: 'mount', action: 'SCMP_ACT_LOG', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] },
    ],
  }
  assert.deepEqual(settled(profile), {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
    syscalls: [
      { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' },
      { names: ['mount'], action: 'SCMP_ACT_LOG', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] },
    ],
  })
})

test('conditions: all of includes, none of excludes', () => {
  const rule = (name: string, conditions: object) => ({
    names: [name],
    action: 'SCMP_ACT_ALLOW',
    ...conditions,
  })
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [
      rule('always', {}),
      rule('bothCaps', { includes: { caps: ['CAP_A', 'CAP_B'] } }),
      rule('oneCap', { includes: { caps: ['CAP_A'] } }),
      rule('notA', { excludes: { caps: ['CAP_A'] } }),
      rule('notAnyOf', { excludes: { caps: ['CAP_X', 'CAP_A'] } }),
      rule('thisArch', { includes: { arches: ['s390', 'amd64'] } }),
      rule('otherArch', { includes: { arches: ['arm64'] } }),
      rule('notThisArch', { excludes: { arches: ['amd64'] } }),
      rule('newKernel', { includes: { minKernel: '6.12' } }),
      rule('newerKernel', { includes: { minKernel: '6.13' } }),
      rule('onlyOldKernel', { excludes: { minKernel: '4.8' } }),
      rule('emptyFilters', { includes: {}, excludes: {} }),
    ],
  }
  const names = settled(profile, ['CAP_A'])?.syscalls?.flatMap(entry => entry.names)
  assert.deepEqual(names, ['always', 'oneCap', 'thisArch', 'newKernel', 'emptyFilters'])
})

test('a profile without content switches seccomp off', () => {
  assert.equal(settled({}), undefined)
})

test('mistakes in a file are told with its name', () => {
  const broken = (text: string, message: RegExp) =>
    assert.throws(() => parseProfile(text, 'my.json'), { message })
  broken('{', /my\.json cannot be used: it is not JSON/)
  broken('[]', /not a JSON object/)
  broken('{"syscalls": {}}', /"syscalls" must be a list/)
  broken('{"syscalls": [{"names": ["read"]}]}', /"names" and "action"/)
  broken('{"syscalls": [{"names": [1], "action": "SCMP_ACT_ALLOW"}]}', /"names" and "action"/)
  broken('{"archMap": 1}', /"archMap"/)
  broken('{"listenerPath": "/run/agent", "defaultAction": "SCMP_ACT_NOTIFY"}', /listenerPath/)
  const contradiction = {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86'],
    archMap: [{ architecture: 'SCMP_ARCH_X86_64' }],
  }
  assert.throws(() => settled(contradiction), { message: /both "architectures" and "archMap"/ })
  const twoNames = { syscalls: [{ name: 'read', names: ['write'], action: 'SCMP_ACT_ALLOW' }] }
  assert.throws(() => settled(twoNames), { message: /both "name" \(read\) and "names"/ })
})
