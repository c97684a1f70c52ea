import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHierarchies, parseRelease } from '../../../src/system/host-facts.ts'

const files: Record<string, string> = {
  '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n',
  '/sys/fs/cgroup/cgroup.subtree_control': 'memory pids\n',
}
const read = (path: string) => files[path] ?? ''

test('a v2 host has one hierarchy with the controllers its files name', () => {
  const line =
    '35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot'
  assert.deepEqual(parseHierarchies(line, read), [
    {
      version: 2,
      mountPoint: '/sys/fs/cgroup',
      controllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
      passedOn: ['memory', 'pids'],
    },
  ])
})

test('v1 hierarchies are known by their mount options, mounted twice or not', () => {
  const mountinfo = [
    '31 23 0:28 / /sys/fs/cgroup ro shared:8 - tmpfs tmpfs ro,mode=755',
    '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct',
    '33 31 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/lib/agent,name=systemd',
    '34 31 0:31 / /sys/fs/cgroup/with\\040space rw - cgroup cgroup rw,memory',
    '90 31 0:29 / /mnt/again rw - cgroup cgroup rw,cpu,cpuacct',
    '35 31 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
  ].join('\n')
  const seen = parseHierarchies(mountinfo, read).map(({ version, mountPoint, controllers }) => [
    version,
    mountPoint,
    controllers.join(),
  ])
  assert.deepEqual(seen, [
    [1, '/sys/fs/cgroup/cpu,cpuacct', 'cpu,cpuacct'],
    [1, '/sys/fs/cgroup/systemd', 'name=systemd'],
    [1, '/sys/fs/cgroup/with space', 'memory'],
    [2, '/sys/fs/cgroup/unified', ''],
  ])
})

test('kernel releases of several distributions', () => {
  assert.deepEqual(parseRelease('6.12.0-3-amd64'), { major: 6, minor: 12 })
  assert.deepEqual(parseRelease('5.15.0'), { major: 5, minor: 15 })
  assert.deepEqual(parseRelease('7.0-rc1'), { major: 7, minor: 0 })
})
