// A container to explain: a small plan made by hand with every kind of shell twin, and its configuration.

import type { Spec } from '../../../src/runtime/spec.ts'
import type { Plan, Step } from '../../../src/runtime/step.ts'

export const id = '3f2a'.repeat(16)
const directory = `/var/lib/minictr/containers/${id}`

export const spec: Spec = {
  ociVersion: '1.2.0',
  root: { path: `${directory}/rootfs` },
  hostname: 'box',
  process: {
    user: { uid: 0, gid: 0 },
    args: ['sh', '-c', "echo 'hello'"],
    env: ['PATH=/usr/bin:/bin', 'GREETING=good day'],
    cwd: '/srv',
    capabilities: { bounding: ['CAP_CHOWN'], effective: [], inheritable: [], permitted: [], ambient: [] },
  },
  mounts: [{ destination: '/proc', type: 'proc' }],
  linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }], resources: { memory: { limit: 67108864 } } },
  annotations: {
    'minictr.overlay': JSON.stringify({
      lower: ['/var/lib/minictr/layers/aa', '/var/lib/minictr/layers/bb'],
      upper: `${directory}/upper`,
      work: `${directory}/work`,
    }),
  },
}

/** What the configuration does not know of it. */
export const identity = { name: 'calm_hopper', image: { name: 'docker.io/library/debian:trixie' } }

const kernel = { kernel: 'It ends with the process.' }
const inside = (id: string, why: string, ops: Step['ops']): Step => {
  return { id, side: 'container', why, ops, undo: kernel, lasts: 'run' }
}

export const steps: Step[] = [
  {
    id: 'create-cgroup',
    side: 'host',
    why: 'A cgroup is a directory in which the kernel counts what a group of processes uses.',
    ops: [{ op: 'mkdir', path: `/sys/fs/cgroup/minictr/${id}`, mode: 0o755, parents: true }],
    undo: [{ op: 'rmdir', path: `/sys/fs/cgroup/minictr/${id}`, tolerate: ['ENOENT'] }],
    lasts: 'run',
  },
  {
    id: 'spawn-init',
    side: 'host',
    why: 'The monitor stays on the host.',
    ops: [{ op: 'spawn_init', stdin: 'none', terminal: false }],
    undo: [],
    lasts: 'run',
  },
  inside('unshare-mount-namespace', 'From here on mounts are the container’s own.', [
    { op: 'unshare', namespaces: ['mount'] },
    { op: 'mount', source: '', target: '/', flags: ['MS_REC', 'MS_PRIVATE'] },
  ]),
  inside('mount-overlay', 'One tree out of many.', [
    {
      op: 'mount',
      source: 'overlay',
      target: `${directory}/rootfs`,
      type: 'overlay',
      flags: [],
      data: `lowerdir=/var/lib/minictr/layers/bb:/var/lib/minictr/layers/aa,upperdir=${directory}/upper,workdir=${directory}/work`,
    },
  ]),
  inside('unshare-namespaces', 'One more thing the process no longer shares.', [
    { op: 'unshare', namespaces: ['pid'] },
  ]),
  inside('fork-into-pid-namespace', 'Only its children live in the new PID namespace.', [{ op: 'fork' }]),
  inside('mount-proc', 'ps reads /proc.', [
    { op: 'mkdir', in: `${directory}/rootfs`, path: '/proc', mode: 0o755, parents: true },
    {
      op: 'mount',
      source: 'proc',
      in: `${directory}/rootfs`,
      target: '/proc',
      type: 'proc',
      flags: ['MS_NOSUID'],
      nofollow: true,
    },
  ]),
  inside('pivot-root', 'It exchanges the root mount of the whole namespace.', [
    { op: 'chdir', path: `${directory}/rootfs` },
    { op: 'pivot_root', newRoot: '.', putOld: '.' },
    { op: 'umount2', target: '.', flags: ['MNT_DETACH'] },
    { op: 'chdir', path: '/' },
  ]),
  inside('load-seccomp-filter', 'A program the kernel runs before each system call.', [
    { op: 'seccomp', flags: [], program: [[0x06, 0, 0, 0x7fff0000]] },
  ]),
  inside('limit-bounding-set', 'Root is cut into capabilities.', [
    { op: 'drop_bounding_set', capabilities: ['CAP_SYS_ADMIN'] },
  ]),
  inside('switch-user', 'Groups first.', [
    { op: 'setgroups', gids: [4, 24] },
    { op: 'setresgid', gid: 33 },
    { op: 'setresuid', uid: 33 },
    { op: 'umask', mode: 0o022 },
  ]),
  inside('change-directory', 'As the user that the program runs as.', [{ op: 'chdir', path: '/srv' }]),
  inside('execute-program', 'The executor is replaced by the container’s program.', [
    {
      op: 'execve',
      candidates: ['/usr/bin/sh', '/bin/sh'],
      argv: ['sh', '-c', "echo 'hello'"],
      env: ['PATH=/usr/bin:/bin', 'GREETING=good day'],
    },
  ]),
]

export const plan: Plan = { containerId: id, command: 'run', steps }
