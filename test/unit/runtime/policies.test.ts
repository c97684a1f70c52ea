// Paths, limits of a process, device nodes and kernel settings of a container.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultDevices, deviceOf } from '../../../src/runtime/devices.ts'
import { protectedPaths } from '../../../src/runtime/paths.ts'
import { rlimitOf } from '../../../src/runtime/rlimits.ts'
import { checkSysctls, defaultSysctls } from '../../../src/runtime/sysctl.ts'

test('what of /proc and /sys is hidden and what may only be read', () => {
  const { maskedPaths, readonlyPaths } = protectedPaths({ thermalPaths: ['/sys/thermal'] }, false)
  for (const path of ['/proc/kcore', '/proc/keys', '/sys/firmware', '/sys/thermal']) {
    assert.ok(maskedPaths.includes(path), path)
  }
  assert.deepEqual(readonlyPaths, ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'])
  assert.deepEqual(protectedPaths({ thermalPaths: ['/sys/thermal'] }, true), {
    maskedPaths: [],
    readonlyPaths: [],
  })
})

test('limits are named as on the command line or as in the manual', () => {
  assert.deepEqual(rlimitOf('nofile', 1024, 4096), { type: 'RLIMIT_NOFILE', soft: 1024, hard: 4096 })
  assert.deepEqual(rlimitOf('RLIMIT_CORE', 0, -1), { type: 'RLIMIT_CORE', soft: 0, hard: -1 })
  assert.throws(() => rlimitOf('files', 1, 1), { message: /no resource limit called files/ })
  assert.throws(() => rlimitOf('nofile', 5, 4), { message: /\(5\) is above the hard one \(4\)/ })
  assert.throws(() => rlimitOf('nofile', -1, 4), { message: /unlimited/ })
})

test('a device keeps its numbers and permissions, at the place it is wanted', () => {
  // /dev/sda of a common host: block, root:disk 0660, 8:0; and a device with large numbers.
  const disk = { mode: 0o060660, device: 0x800, uid: 0, gid: 6 }
  assert.deepEqual(deviceOf('/dev/sda', '/dev/xvdc', 'r', disk), {
    device: { path: '/dev/xvdc', type: 'b', major: 8, minor: 0, fileMode: 0o660, uid: 0, gid: 6 },
    rule: { allow: true, type: 'b', major: 8, minor: 0, access: 'r' },
  })
  // makedev(259, 65793) by glibc's gnu_dev_makedev.
  const large = deviceOf('/dev/nvme', '/dev/nvme', 'rwm', {
    mode: 0o020600,
    device: 0x10110301,
    uid: 0,
    gid: 0,
  })
  assert.equal(large.device.major, 259)
  assert.equal(large.device.minor, 0x10101)
  assert.throws(() => deviceOf('/etc/passwd', '/dev/x', 'r', { ...disk, mode: 0o100644 }), {
    message: /is not a device/,
  })
})

test('the default devices are those of the specification', () => {
  const numbers = defaultDevices.map(({ path, major, minor }) => `${path} ${major}:${minor}`)
  assert.deepEqual(numbers, [
    '/dev/null 1:3',
    '/dev/zero 1:5',
    '/dev/full 1:7',
    '/dev/random 1:8',
    '/dev/urandom 1:9',
    '/dev/tty 5:0',
  ])
})

test('settings of own namespaces may be set, in either spelling', () => {
  checkSysctls(['net.ipv4.ip_forward', 'net/ipv4/conf/all/rp_filter'], ['network'])
  checkSysctls(['kernel.shmmax', 'fs.mqueue.msg_max', 'kernel/sem'], ['ipc'])
  checkSysctls(['kernel.domainname'], ['uts'])
  checkSysctls(Object.keys(defaultSysctls(false)), ['network'])
  assert.deepEqual(Object.keys(defaultSysctls(true)), ['net.ipv4.ip_unprivileged_port_start'])
})

test('settings of the machine or of a shared namespace are refused by name', () => {
  const all = ['network', 'ipc', 'uts'] as const
  assert.throws(() => checkSysctls(['vm.max_map_count'], [...all]), {
    message: /vm\.max_map_count .* no namespace/,
  })
  for (const name of ['net/../kernel/core_pattern', 'net/ipv4/./x', 'net//x', '']) {
    assert.throws(() => checkSysctls([name], [...all]), { message: /is no name of a setting/ }, name)
  }
  assert.throws(() => checkSysctls(['kernel.panic'], [...all]), { message: /kernel\.panic/ })
  assert.throws(() => checkSysctls(['kernel.hostname'], [...all]), { remedy: /--hostname/ })
  assert.throws(() => checkSysctls(['net.core.somaxconn'], ['ipc']), { message: /no network namespace/ })
  assert.throws(() => checkSysctls(['kernel.msgmax'], ['network']), { message: /no ipc namespace/ })
  assert.throws(() => checkSysctls(['network.core'], [...all]), { message: /no namespace/ })
})
