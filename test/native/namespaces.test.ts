// Ops on namespaces: which ones a process is in (/proc/PID/ns), and what is different inside.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { spawnExecutor } from '../../src/system/executor.ts'
import { Monitor } from '../../src/system/monitor.ts'
import { isThere, until } from './clients.ts'
import { call, errnoOf, inSandbox, MS, NEW, succeed } from './executors.ts'

function namespaceOf(pid: number | 'self', name: string): string {
  return readlinkSync(`/proc/${pid}/ns/${name}`)
}

test('unshare leaves the namespaces named and no others', () =>
  inSandbox(async ({ executor, pid }) => {
    await succeed(executor, call('unshare', NEW.uts | NEW.ipc | NEW.net | NEW.cgroup))
    for (const name of ['uts', 'ipc', 'net', 'cgroup'])
      assert.notEqual(namespaceOf(pid, name), namespaceOf('self', name))
    for (const name of ['user', 'pid', 'time'])
      assert.equal(namespaceOf(pid, name), namespaceOf('self', name))
  }))

test('host and domain name are those of the namespace', () =>
  inSandbox(async ({ executor, pid }) => {
    const before = hostname()
    await succeed(
      executor,
      call('unshare', NEW.uts),
      call('sethostname', 'box'),
      call('setdomainname', 'example.org'),
    )
    const names = execFileSync('nsenter', [
      '-t',
      String(pid),
      '-u',
      'cat',
      '/proc/sys/kernel/hostname',
      '/proc/sys/kernel/domainname',
    ])
    assert.equal(String(names), 'box\nexample.org\n')
    assert.equal(hostname(), before)
    assert.equal(await errnoOf(executor, call('sethostname', 'x'.repeat(65))), 'EINVAL')
  }))

test('setns joins the namespace kept in a slot', () =>
  inSandbox(async first => {
    await succeed(first.executor, call('unshare', NEW.uts))
    const { executor, pid, close } = spawnExecutor()
    try {
      await succeed(
        executor,
        call('open', '', `/proc/${first.pid}/ns/uts`, 2, 0),
        call('setns', 0, NEW.uts),
        call('close', 0),
      )
      assert.equal(namespaceOf(pid, 'uts'), namespaceOf(first.pid, 'uts'))
      assert.equal(await errnoOf(executor, call('setns', 0, NEW.uts)), 'EBADF')
    } finally {
      await close()
    }
  }))

test('fork hands the conversation to the child, which is PID 1 of a new PID namespace', async () => {
  const monitor = Monitor.spawn({ stdin: 'ignore' })
  try {
    const [init] = await succeed(monitor.host, call('spawn_init', 0, 0))
    const answers = await succeed(
      monitor.init,
      call('unshare', NEW.pid | NEW.mount),
      call('fork'),
      call('mount', '', '', '/', '', MS.rec | MS.private, '', 0),
      call('mount', 'proc', '', '/proc', 'proc', 0, '', 0),
      call('readlink', '', '/proc/self'),
    )
    const child = answers[1]!.result
    assert.notEqual(child, init!.result)
    assert.equal(String(answers[4]!.data), '1')
    const status = readFileSync(`/proc/${child}/status`, 'utf8')
    assert.match(status, new RegExp(`^NSpid:\\t${child}\\t1$`, 'm'))
    assert.match(status, new RegExp(`^PPid:\\t${monitor.pid}$`, 'm'))
    await until(() => !isThere(init!.result), 'the parent has ended')
  } finally {
    await monitor.close()
  }
})

test('create_userns keeps a user namespace with its maps, which can be entered', () =>
  inSandbox(async ({ executor, pid }) => {
    await succeed(
      executor,
      call('create_userns', '0 100000 65536\n', '0 200000 65536\n', 1),
      call('setns', 1, NEW.user),
      call('setresgid', 0),
      call('setresuid', 0),
    )
    assert.notEqual(namespaceOf(pid, 'user'), namespaceOf('self', 'user'))
    assert.match(readFileSync(`/proc/${pid}/uid_map`, 'utf8'), /^\s+0\s+100000\s+65536\n$/)
    assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Uid:\t100000\t100000\t100000\t100000$/m)
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    assert.equal(children, '')
  }))

test('create_userns refuses a map that is none and leaves no process behind', () =>
  inSandbox(async ({ executor, pid }) => {
    assert.equal(await errnoOf(executor, call('create_userns', 'no map\n', '0 0 1\n', 1)), 'EINVAL')
    assert.equal(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), '')
  }))

test('create_userns leaves no process behind that would keep the conversation open where it is killed', async () => {
  const begin = call('create_userns', '0 0 1\n', '0 0 1\n', 0)
  for (let tries = 0; tries < 5; tries++) {
    const { executor, pid } = spawnExecutor()
    // So many that it is most likely in the middle of one.
    const performed = executor.perform(Array(10_000).fill(begin))
    const children = () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    await until(() => children() !== '', 'it has a child')
    process.kill(pid, 'SIGSTOP')
    const child = Number(children()) || undefined
    process.kill(pid, 'SIGKILL')
    try {
      await until(() => child === undefined || !isThere(child), 'the child has ended')
      assert.equal((await performed).closed, true)
    } finally {
      if (child && isThere(child)) process.kill(child, 'SIGKILL')
    }
  }
})
