// Ops on what a process may do, read back from /proc/PID/status and by trying.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { call, errnoOf, inSandbox, succeed } from './executors.ts'

const PR_SET_KEEPCAPS = 8
const PR_SET_NO_NEW_PRIVS = 38
const CAP_CHOWN = 1n << 0n
const CAP_KILL = 1n << 5n
const CAP_NET_RAW = 1n << 13n

function statusOf(pid: number): Map<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').trim().split('\n')
  return new Map(lines.map(line => line.split(':\t') as [string, string]))
}

test('groups, group and user, in all their sets', () =>
  inSandbox(async ({ executor, pid }) => {
    const groups = new Uint8Array(Uint32Array.from([5, 70_000]).buffer)
    await succeed(executor, call('setgroups', groups), call('setresgid', 2000), call('setresuid', 1000))
    const status = statusOf(pid)
    assert.equal(status.get('Groups')!.trim(), '5 70000')
    assert.equal(status.get('Gid'), '2000\t2000\t2000\t2000')
    assert.equal(status.get('Uid'), '1000\t1000\t1000\t1000')
    assert.equal(await errnoOf(executor, call('setresuid', 0)), 'EPERM')
    assert.equal(await errnoOf(executor, call('setgroups', new Uint8Array(3))), 'EINVAL')
  }))

test('capabilities: bounding set, the three sets, the ambient set', () =>
  inSandbox(async ({ executor, pid }) => {
    const all = (1n << 64n) - 1n
    const kept = CAP_CHOWN | CAP_KILL | CAP_NET_RAW
    await succeed(
      executor,
      call('drop_bounding_set', all & ~kept),
      call('prctl', PR_SET_KEEPCAPS, 1),
      call('setresuid', 1000),
      call('capset', CAP_CHOWN, CAP_CHOWN | CAP_KILL, CAP_KILL),
      call('raise_ambient_set', CAP_KILL),
    )
    const status = statusOf(pid)
    const set = (name: string) => BigInt(`0x${status.get(name)}`)
    assert.equal(set('CapBnd'), kept)
    assert.equal(set('CapEff'), CAP_CHOWN)
    assert.equal(set('CapPrm'), CAP_CHOWN | CAP_KILL)
    assert.equal(set('CapInh'), CAP_KILL)
    assert.equal(set('CapAmb'), CAP_KILL)
    assert.equal(await errnoOf(executor, call('capset', kept, kept, 0)), 'EPERM')
    assert.equal(await errnoOf(executor, call('raise_ambient_set', CAP_CHOWN)), 'EPERM')
  }))

test('limits, umask and the bit against new privileges', () =>
  inSandbox(async ({ executor, pid }) => {
    const RLIMIT_NOFILE = 7
    const RLIMIT_CORE = 4
    const [, , umask] = await succeed(
      executor,
      call('prlimit', RLIMIT_NOFILE, 123, 456),
      call('umask', 0o027),
      call('umask', 0o026),
      call('prctl', PR_SET_NO_NEW_PRIVS, 1),
    )
    assert.equal(umask!.result, 0o027)
    await executor.perform([call('prlimit', RLIMIT_CORE, -1, -1)])
    assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max open files\s+123\s+456 /m)
    assert.equal(statusOf(pid).get('Umask'), '0026')
    assert.equal(statusOf(pid).get('NoNewPrivs'), '1')
    assert.equal(await errnoOf(executor, call('prlimit', 99, 1, 1)), 'EINVAL')
  }))

/** Classic BPF: where the system call is `number`, fail with EPERM; else allow. */
function filterAgainst(number: number): Buffer {
  const program = Buffer.alloc(4 * 8)
  const instruction = (index: number, code: number, jt: number, jf: number, k: number) => {
    program.writeUInt16LE(code, index * 8)
    program[index * 8 + 2] = jt
    program[index * 8 + 3] = jf
    program.writeUInt32LE(k, index * 8 + 4)
  }
  instruction(0, 0x20, 0, 0, 0) // load the number
  instruction(1, 0x15, 0, 1, number) // jump if equal
  instruction(2, 0x06, 0, 0, 0x00050001) // return EPERM
  instruction(3, 0x06, 0, 0, 0x7fff0000) // return allow
  return program
}

test('seccomp loads a filter, and what came before it in the batch is answered', () =>
  inSandbox(async ({ executor, pid, directory }) => {
    const sethostname = process.arch === 'arm64' ? 161 : 170
    const { answers } = await executor.perform([
      call('mkdir', directory, 'a', 0o755, 0),
      call('seccomp', 0, filterAgainst(sethostname)),
      call('sethostname', 'never'),
      call('mkdir', directory, 'b', 0o755, 0),
    ])
    assert.deepEqual(
      answers.map(answer => answer.errno),
      [undefined, undefined, 'EPERM'],
    )
    assert.equal(statusOf(pid).get('Seccomp'), '2')
    assert.equal(await errnoOf(executor, call('seccomp', 0, new Uint8Array(7))), 'EINVAL')
  }))
