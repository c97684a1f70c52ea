// The filter in the kernel: a real process under it, and the same process under runc with libseccomp's filter.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { capabilitySets, chooseCapabilities } from '../../src/runtime/capabilities.ts'
import type { Op } from '../../src/runtime/op.ts'
import { callOf } from '../../src/runtime/ops.ts'
import { compileSeccomp } from '../../src/runtime/seccomp/compile.ts'
import { defaultProfile } from '../../src/runtime/seccomp/policy.ts'
import { parseProfile, settleProfile } from '../../src/runtime/seccomp/profile.ts'
import type { Seccomp } from '../../src/runtime/spec.ts'
import { spawnExecutor } from '../../src/system/executor.ts'
import { hostFacts } from '../../src/system/host-facts.ts'

const host = hostFacts()
const isAmd64 = host.architecture === 'amd64' ? false : 'the call numbers below are those of x86-64'
const podmanProfile = '/usr/share/containers/seccomp.json'

const EPERM = 1
const EINVAL = 22
const ENOSYS = 38

/** Each fails in its own way, or does nothing, where it is let through: so a refusal can be told from it. */
const calls: Record<string, string> = {
  getppid: '110',
  mount: '165',
  umount2: '166:0:0xff',
  keyctl: '250:0xff',
  addKey: '248',
  threadWithoutMemory: '56:0x10000',
  cloneNewUser: '56:0x10000200',
  cloneNewNamespace: '56:0x00020200',
  clone3: '435:0:0xff',
  unshare: '272:0x10000200',
  setns: '308:-1',
  personality: '135:0x40000',
  personalityQuery: '135:0xffffffff',
  socketVsock: '41:40:1:0',
  socketAlg: '41:38:5:0',
  socketInet: '41:2:1:0',
  socketUnspecific: '41:0:1:0',
  ioUring: '425:0xffffffff',
  bpf: '321:0xff',
  reboot: '169',
  chroot: '161',
  kexec: '246:0:0:0:0xff',
  initModule: '175',
  setTime: '227:0xff',
  userfaultfd: '323:0xff',
  perfEventOpen: '298:0:0:0:0:0xff',
  pivotRoot: '155',
  ptrace: '101:0xff',
  mbind: '237:0:0:0xff',
  newerThanAll: '600',
  x32: '0x4000006e',
  mountOf32Bit: 'i21',
  cloneNewUserOf32Bit: 'i120:0x10000200',
  getppidOf32Bit: 'i64',
  socketVsockOf32Bit: 'i359:40:1',
}

let directory: string
let probe: string

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'minictr-seccomp-'))
  mkdirSync(join(directory, 'rootfs'))
  probe = join(directory, 'rootfs/probe')
  const source = join(import.meta.dirname, '../fixtures/syscall-probe.c')
  execFileSync('gcc', ['-static', '-O1', '-o', probe, source])
  // Kernels without 32-bit emulation end a process that asks for it.
  if (spawnSync(probe, [calls.getppidOf32Bit!]).status === 0) return
  for (const [name, call] of Object.entries(calls)) if (call.startsWith('i')) delete calls[name]
})

after(() => rmSync(directory, { recursive: true, force: true }))

/** What each call gave, by the text it was asked with. */
function parse(output: string): Map<string, number> {
  return new Map(
    output
      .trim()
      .split('\n')
      .map(line => line.split(' '))
      .map(([call, errno]) => [call!, Number(errno)]),
  )
}

/** The probe under our filter, loaded and executed by the executor as in a container. */
async function underOurs(seccomp: Seccomp, calls: string[]): Promise<Map<string, number>> {
  const output = join(directory, 'output')
  const fd = openSync(output, 'w')
  const { executor, close } = spawnExecutor(['ignore', fd, 'inherit'])
  closeSync(fd)
  const ops: Op[] = [
    { op: 'seccomp', flags: seccomp.flags ?? [], program: compileSeccomp(seccomp, host) },
    { op: 'execve', candidates: [probe], argv: ['probe', ...calls], env: [] },
  ]
  const { closed, answers } = await executor.perform(
    ops.map(op => callOf(op, { slot: () => 0, text: String })),
  )
  assert.ok(closed, `not executed: ${JSON.stringify(answers)}`)
  await close()
  return parse(readFileSync(output, 'utf8'))
}

/** The probe under runc, which gives the same configuration to libseccomp. */
function underRunc(seccomp: Seccomp, calls: string[]): Map<string, number> {
  const names = chooseCapabilities({ add: ['ALL'] }, host)
  const config = {
    ociVersion: '1.0.2',
    root: { path: 'rootfs' },
    process: {
      user: { uid: 0, gid: 0 },
      args: ['/probe', ...calls],
      env: [],
      cwd: '/',
      capabilities: capabilitySets(names),
    },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }], seccomp },
  }
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config))
  const id = `minictr-seccomp-${process.pid}`
  const result = spawnSync('runc', ['--root', join(directory, 'runc'), 'run', '--bundle', directory, id], {
    encoding: 'utf8',
  })
  assert.equal(result.status, 0, result.stderr)
  return parse(result.stdout)
}

function defaultFor(capabilities: string[]): Seccomp {
  return settleProfile(defaultProfile(), capabilities, host)!
}

test('what a container may not do is refused by the kernel, and the rest works', {
  skip: isAmd64,
}, async () => {
  const given = await underOurs(defaultFor(chooseCapabilities({}, host)), Object.values(calls))
  const results = Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, given.get(call)]))
  const refused = Object.keys(calls).filter(name => results[name] === EPERM)
  assert.deepEqual(refused, [
    'mount',
    'umount2',
    'keyctl',
    'addKey',
    'cloneNewUser',
    'cloneNewNamespace',
    'unshare',
    'setns',
    'personality',
    'socketVsock',
    'socketAlg',
    'ioUring',
    'bpf',
    'reboot',
    'kexec',
    'initModule',
    'setTime',
    'userfaultfd',
    'perfEventOpen',
    'pivotRoot',
    'mbind',
    ...['mountOf32Bit', 'cloneNewUserOf32Bit', 'socketVsockOf32Bit'].filter(name => calls[name]),
  ])
  assert.equal(results.getppid, 0)
  if (calls.getppidOf32Bit) assert.equal(results.getppidOf32Bit, 0)
  assert.equal(results.socketInet, 0)
  assert.equal(results.personalityQuery, 0)
  assert.equal(results.threadWithoutMemory, EINVAL)
  for (const name of ['clone3', 'newerThanAll', 'x32']) assert.equal(results[name], ENOSYS, name)
})

test('runc with libseccomp answers each call alike', { skip: isAmd64 }, async t => {
  if (spawnSync('runc', ['--version']).error) return t.skip('runc is not installed')
  const asked = Object.values(calls).filter(call => call !== calls.x32)
  for (const capabilities of [chooseCapabilities({}, host), chooseCapabilities({ add: ['ALL'] }, host), []]) {
    const seccomp = defaultFor(capabilities)
    assert.deepEqual(
      await underOurs(seccomp, asked),
      underRunc(seccomp, asked),
      `${capabilities.length} capabilities`,
    )
  }
})

test('so it does with the profile that podman ships', { skip: isAmd64 }, async t => {
  let text: string
  try {
    text = readFileSync(podmanProfile, 'utf8')
  } catch {
    return t.skip(`${podmanProfile} is not installed`)
  }
  if (spawnSync('runc', ['--version']).error) return t.skip('runc is not installed')
  const seccomp = settleProfile(parseProfile(text, podmanProfile), chooseCapabilities({}, host), host)!
  const asked = Object.values(calls).filter(call => call !== calls.x32)
  assert.deepEqual(await underOurs(seccomp, asked), underRunc(seccomp, asked))
})

test('a killing action kills', async () => {
  const seccomp: Seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['keyctl'], action: 'SCMP_ACT_KILL_PROCESS' }],
  }
  const [getpid, keyctl] = host.architecture === 'amd64' ? ['39', '250'] : ['172', '219']
  const given = await underOurs(seccomp, [getpid, keyctl])
  assert.deepEqual([...given.keys()], [getpid])
})
