// The plan of an exec: everything of the container is joined, in the one order in which it can be, and power given up last.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ExecOptions, sessionSpec } from '../../../src/containers/exec-session.ts'
import { execPlan } from '../../../src/runtime/exec-plan.ts'
import type { HostFacts } from '../../../src/runtime/host.ts'
import type { Op } from '../../../src/runtime/op.ts'
import type { Spec } from '../../../src/runtime/spec.ts'
import { spec as base } from '../learn/subject.ts'

const host: HostFacts = {
  architecture: 'amd64',
  kernel: { major: 6, minor: 12 },
  boundingSet: (1n << 41n) - 1n,
  cgroups: [
    { version: 2, mountPoint: '/sys/fs/cgroup', controllers: ['cpu', 'memory', 'pids'], passedOn: [] },
  ],
  swapLimit: true,
  thermalPaths: [],
}

const options: ExecOptions = {
  ...{ container: 'box', command: ['id'], detach: false, detachKeys: new Uint8Array() },
  ...{ interactive: false, tty: false, privileged: false, environment: [], step: false, timing: false },
}

const spec: Spec = {
  ...base,
  process: {
    ...base.process,
    terminal: true,
    env: ['PATH=/bin', 'TERM=xterm', 'GREETING=hi', 'HOME=/root'],
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 10, hard: 20 }],
    oomScoreAdj: 5,
    noNewPrivileges: true,
  },
}

const files = {
  passwd: 'root:x:0:0::/root:/bin/sh\napp:x:7:8::/srv/app:/bin/sh\n',
  group: 'staff:x:50:app\n',
}

function planOf(wishes: Partial<ExecOptions> = {}, of: Spec = spec, unifiedCgroup = '/minictr/c0ffee') {
  const session = sessionSpec(of, { ...options, ...wishes }, files, host)
  const container = { pid: 77, startTimeTicks: '123' }
  return execPlan(session, { containerId: 'c0ffee', container, unifiedCgroup, host, stdin: 'none' })
}

function ops(plan: ReturnType<typeof planOf>): Op[] {
  return plan.steps.flatMap(step => step.ops)
}

describe('the plan of an exec', () => {
  it('finds the container, joins its cgroup, then its namespaces, and gives power up after that', () => {
    assert.deepEqual(
      planOf().steps.map(({ id }) => id),
      [
        ...['spawn-init', 'find-container', 'join-cgroup', 'set-oom-score', 'join-container'],
        ...['fork-into-pid-namespace', 'start-session', 'join-session-keyring', 'set-resource-limits'],
        ...['close-descriptors', 'set-no-new-privileges', 'limit-bounding-set', 'change-directory'],
        ...['switch-user', 'set-capabilities', 'execute-program'],
      ],
    )
  })

  it('joins what the container has of its own, in one call, and is root there in a user namespace', () => {
    const mapped: Spec = {
      ...spec,
      linux: {
        ...spec.linux,
        namespaces: [{ type: 'mount' }, { type: 'user' }, { type: 'network', path: '/x' }],
      },
    }
    const joining = planOf({}, mapped).steps.find(({ id }) => id === 'join-container')!
    assert.deepEqual(joining.ops, [
      { op: 'setns', slot: 'container', namespaces: ['mount', 'user', 'net'], pid: 77 },
      { op: 'close', slot: 'container' },
      { op: 'setresgid', gid: 0 },
      { op: 'setresuid', uid: 0 },
    ])
    assert.ok(!ops(planOf({}, mapped)).some(({ op }) => op === 'fork'), 'the host’s process numbers')
  })

  it('joins the directory of v2 that takes processes', () => {
    const joining = planOf({}, spec, '/minictr/c0ffee/init.scope').steps.find(
      ({ id }) => id === 'join-cgroup',
    )!
    const path = '/sys/fs/cgroup/minictr/c0ffee/init.scope/cgroup.procs'
    assert.deepEqual(joining.ops, [{ op: 'write_file', path, content: '0', how: 'existing' }])
  })

  it('has nothing on the host to be undone, so that no journal is needed', () => {
    for (const { undo } of planOf({ tty: true }).steps) assert.ok(!Array.isArray(undo) || undo.length === 0)
  })

  it('is the same for the same input, and is data', () => {
    assert.deepEqual(
      JSON.parse(JSON.stringify(planOf({ tty: true }))),
      JSON.parse(JSON.stringify(planOf({ tty: true }))),
    )
  })

  it('has a terminal only where this program is to have one', () => {
    const opens = (plan: ReturnType<typeof planOf>) => ops(plan).some(({ op }) => op === 'open_pty')
    assert.equal(opens(planOf()), false)
    assert.equal(opens(planOf({ tty: true })), true)
  })
})

describe('the process of an exec', () => {
  const processOf = (wishes: Partial<ExecOptions>, of = spec) =>
    sessionSpec(of, { ...options, ...wishes }, wishes.user ? files : undefined, host).process

  it('has the container’s variables, those given, TERM with its own terminal alone', () => {
    assert.deepEqual(processOf({}).env, ['PATH=/bin', 'GREETING=hi', 'HOME=/root'])
    assert.deepEqual(processOf({ tty: true, environment: ['GREETING', 'NEW=1'] }).env, [
      ...['PATH=/bin', 'TERM=xterm', 'NEW=1', 'HOME=/root'],
    ])
  })

  it('has the home of its user, unless somebody gave one', () => {
    assert.equal(processOf({ user: 'app' }).env.at(-1), 'HOME=/srv/app')
    assert.equal(processOf({ user: 'app', environment: ['HOME=/mine'] }).env.at(-1), 'HOME=/mine')
    const given = { ...spec, process: { ...spec.process, env: ['HOME=/given', 'PATH=/bin'] } }
    assert.equal(processOf({ user: 'app' }, given).env[0], 'HOME=/given')
  })

  it('is the user with its groups, without capabilities where that is not root', () => {
    const { user, capabilities } = processOf({ user: 'app' })
    assert.deepEqual(user, { uid: 7, gid: 8, additionalGids: [8, 50] })
    assert.deepEqual([capabilities.bounding, capabilities.effective], [['CAP_CHOWN'], []])
    assert.throws(() => processOf({ user: 'nobody-here' }), { exitStatus: 126 })
  })

  it('has all capabilities with --privileged', () => {
    const { effective } = processOf({ privileged: true }).capabilities
    assert.equal(effective.length, 41)
  })

  it('starts in an absolute directory', () => {
    assert.equal(processOf({}).cwd, '/srv')
    assert.equal(processOf({ workingDirectory: '/x' }).cwd, '/x')
    assert.throws(() => processOf({ workingDirectory: 'x' }), { exitStatus: 126 })
  })
})
