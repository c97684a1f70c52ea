import assert from 'node:assert/strict'
import { test } from 'node:test'
import { showOp } from '../../../src/runtime/ops.ts'
import type { NamespaceType, Spec } from '../../../src/runtime/spec.ts'
import { cgroupMountOps } from '../../../src/runtime/steps/cgroup-mount.ts'
import { bareHost, hybridHost, unifiedHost } from './hosts.ts'

function shown(host: typeof hybridHost, options: string[], ...namespaces: NamespaceType[]): string[] {
  const spec: Pick<Spec, 'root' | 'linux'> = {
    root: { path: '/r' },
    linux: { namespaces: namespaces.map(type => ({ type })), cgroupsPath: '/minictr/c1' },
  }
  const mount = { destination: '/sys/fs/cgroup', type: 'cgroup', options }
  return cgroupMountOps(spec, mount, host).map(op => showOp(op).replaceAll('/r/sys/fs/cgroup', '@'))
}

const readOnly = ['ro', 'nosuid', 'noexec', 'nodev']
const flags = 'MS_RDONLY|MS_NOSUID|MS_NOEXEC|MS_NODEV'

test('on v2 it is one mount', () => {
  assert.deepEqual(shown(unifiedHost, readOnly, 'cgroup'), [
    'mkdir("@", 0755)',
    `mount("cgroup2", "@", "cgroup2", ${flags}, NULL)`,
  ])
})

test('on v1 in a namespace of its own, each hierarchy is mounted anew, and the directory closed at the end', () => {
  const ops = shown(hybridHost, readOnly, 'cgroup')
  assert.deepEqual(ops.slice(0, 4), [
    'mkdir("@", 0755)',
    'mount("tmpfs", "@", "tmpfs", MS_NOSUID|MS_NOEXEC|MS_NODEV, "mode=755")',
    'mkdir("@/cpu,cpuacct", 0755)',
    `mount("cgroup", "@/cpu,cpuacct", "cgroup", ${flags}, "cpu,cpuacct")`,
  ])
  assert.ok(ops.includes(`mount("cgroup", "@/systemd", "cgroup", ${flags}, "name=systemd")`))
  assert.deepEqual(ops.slice(-3), [
    'symlink("cpu,cpuacct", "@/cpu")',
    'symlink("cpu,cpuacct", "@/cpuacct")',
    `mount(NULL, "@", NULL, MS_REMOUNT|MS_BIND|${flags}, NULL)`,
  ])
})

test('on v1 in the host’s namespace, the container’s directories are shown by bind mounts', () => {
  const ops = shown(hybridHost, readOnly)
  const at = ops.indexOf('mkdir("@/memory", 0755)')
  assert.deepEqual(ops.slice(at + 1, at + 3), [
    'mount("/sys/fs/cgroup/memory/minictr/c1", "@/memory", NULL, MS_BIND, NULL)',
    `mount(NULL, "@/memory", NULL, MS_REMOUNT|MS_BIND|${flags}, NULL)`,
  ])
})

test('writable for a privileged container, absent where the host has no cgroups', () => {
  for (const op of shown(hybridHost, ['rw', 'nosuid'], 'cgroup')) assert.ok(!op.includes('MS_RDONLY'), op)
  assert.deepEqual(shown(bareHost, readOnly, 'cgroup'), [])
})
