// Ops on the process itself, what it becomes, and the small PID 1 it may leave behind.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { Monitor } from '../../src/system/monitor.ts'
import { until } from './clients.ts'
import { call, errnoOf, inSandbox, MS, NEW, succeed } from './executors.ts'

const CLOSE_RANGE_CLOEXEC = 4

/** What a process of the container's shell sees; run as PID 1 of its own PID namespace, maybe under a reaper. */
async function runScript(
  script: string,
  options: { reaper?: boolean; onStart?: (pid: number) => void } = {},
) {
  const monitor = Monitor.spawn({ stdin: 'ignore' })
  try {
    await succeed(monitor.host, call('spawn_init', 0, 0))
    const answers = await succeed(
      monitor.init,
      call('unshare', NEW.pid | NEW.mount),
      call('mount', '', '', '/', '', MS.rec | MS.private, '', 0),
      call('fork'),
      call('mount', 'proc', '', '/proc', 'proc', 0, '', 0),
      ...(options.reaper ? [call('fork_under_reaper')] : []),
    )
    const pid = answers[2]!.result
    await succeed(monitor.host, call('watch', pid))
    const { closed } = await monitor.init.perform([
      call('execve', ['/bin/sh'], ['sh', '-c', script], ['PATH=/usr/bin:/bin']),
    ])
    assert.equal(closed, true)
    options.onStart?.(pid)
    return await monitor.exit()
  } finally {
    await monitor.close()
  }
}

test('chdir and check_cwd: a working directory outside the root is noticed', () =>
  inSandbox(async ({ executor, pid, directory }) => {
    const [, where] = await succeed(executor, call('chdir', directory), call('check_cwd'))
    assert.equal(String(where!.data), directory)
    assert.equal(readlinkSync(`/proc/${pid}/cwd`), directory)
    await succeed(
      executor,
      call('open', '', '/', 0, 0),
      call('mkdir', directory, 'root', 0o755, 0),
      call('mount', 'tmpfs', directory, 'root', 'tmpfs', 0, '', 0),
      call('pivot_root', `${directory}/root`, `${directory}/root`),
      call('umount2', '/', 2),
      call('fchdir', 0),
    )
    assert.equal(await errnoOf(executor, call('check_cwd')), 'ENOENT')
    assert.equal(await errnoOf(executor, call('chdir', '/absent')), 'ENOENT')
  }))

test('setsid starts a session, which only a process that leads no group can', () =>
  inSandbox(async ({ executor, pid }) => {
    const [session] = await succeed(executor, call('setsid'))
    assert.equal(session!.result, pid)
    assert.equal(await errnoOf(executor, call('setsid')), 'EPERM')
  }))

test('dup2 and fchown act on descriptors; the conversation’s own cannot be replaced', () =>
  inSandbox(async ({ executor, pid, directory, inside }) => {
    writeFileSync(`${inside}/file`, '')
    await succeed(
      executor,
      call('open', directory, 'file', 2, 0),
      call('dup2', 0, 0),
      call('fchown', 0, 12, 34),
    )
    assert.equal(readlinkSync(`/proc/${pid}/fd/0`), `${directory}/file`)
    const [status] = await succeed(executor, call('stat_path', directory, 'file'))
    assert.match(String(status!.data), /^file 0644 12 34 /)
    assert.equal(await errnoOf(executor, call('dup2', 0, 3)), 'EBUSY')
    assert.equal(await errnoOf(executor, call('fchown', 99, 0, 0)), 'EBADF')
  }))

test('close_range closes all but the conversation, or all at execve', () =>
  inSandbox(async ({ executor, pid, directory }) => {
    await succeed(executor, call('open', '', directory, 1, 0), call('dup2', 0, 90), call('close_range', 3, 0))
    assert.deepEqual(readdirSync(`/proc/${pid}/fd`), ['0', '1', '2', '3'])
    assert.equal(await errnoOf(executor, call('fchdir', 0)), 'EBADF')
    await succeed(
      executor,
      call('open', '', directory, 1, 0),
      call('dup2', 0, 90),
      call('close_range', 3, CLOSE_RANGE_CLOEXEC),
      call('fchdir', 0),
      call('chdir', '/'),
    )
    const { closed } = await executor.perform([call('execve', ['/bin/sleep'], ['sleep', '9'], [])])
    assert.equal(closed, true)
    // The kernel closes one after the other, and the conversation is the first.
    await until(() => readdirSync(`/proc/${pid}/fd`).join() === '0,1,2', 'all others are closed')
    process.kill(pid, 'SIGKILL')
  }))

test('execve tries candidates as execvp does', () =>
  inSandbox(async ({ executor, pid, directory, inside }) => {
    writeFileSync(`${inside}/closed`, '#!/bin/sh\n', { mode: 0o644 })
    writeFileSync(`${inside}/no-format`, 'echo never\n', { mode: 0o755 })
    writeFileSync(`${inside}/no-interpreter`, '#!/absent/sh\n', { mode: 0o755 })
    const attempt = (...candidates: string[]) =>
      errnoOf(
        executor,
        call(
          'execve',
          candidates.map(name => `${directory}/${name}`),
          ['x'],
          [],
        ),
      )
    assert.equal(await attempt(), 'ENOENT')
    assert.equal(await attempt('absent', 'closed/sub'), 'ENOTDIR')
    assert.equal(await attempt('closed', 'absent'), 'EACCES')
    assert.equal(await attempt('absent', 'no-format', 'closed'), 'ENOEXEC')
    assert.equal(await attempt('no-interpreter'), 'ENOENT')
    assert.equal(await attempt(''), 'EACCES')
    const candidates = [`${directory}/absent`, `${directory}/closed`, '/bin/sleep']
    const { answers, closed } = await executor.perform([
      call('umask', 0o22),
      call('execve', candidates, ['a name', '9'], ['A=1', 'B=zwei ü']),
    ])
    assert.deepEqual([answers.length, closed], [1, true])
    await until(
      () => readFileSync(`/proc/${pid}/cmdline`, 'utf8') === 'a name\x009\x00',
      'the program has its arguments',
    )
    assert.equal(readFileSync(`/proc/${pid}/environ`, 'utf8'), 'A=1\0B=zwei ü\0')
    process.kill(pid, 'SIGKILL')
  }))

test('a program starts with no signal blocked or ignored', async () => {
  // Not awk: GNU's ignores SIGPIPE itself.
  const none = "grep -Ec '^Sig(Blk|Ign):.0+$' /proc/self/status"
  const { status } = await runScript(`[ "$(${none})" = 2 ] && exit 42`)
  assert.equal(status, 42)
})

test('under a reaper: the script is not PID 1, and its status is the container’s', async () => {
  assert.deepEqual(await runScript('[ $$ = 2 ] && exit 43', { reaper: true }), { status: 43, signal: null })
  assert.deepEqual(await runScript('kill -SEGV $$', { reaper: true }), { status: 139, signal: null })
})

test('under a reaper: orphans are reaped, which a script alone as PID 1 would have to do itself', async () => {
  const script = `(sleep 0.05 &) ; (sh -c 'exit 3' &); sleep 0.3
    for stat in /proc/[0-9]*/stat; do grep -q ') Z ' $stat 2>/dev/null && exit 1; done; exit 44`
  assert.equal((await runScript(script, { reaper: true })).status, 44)
})

test('under a reaper: signals reach the script, also those that a PID 1 would not get', async () => {
  const script = `trap 'exit 45' USR2; : > "${'$'}{READY:-/dev/null}"; while :; do sleep 0.02; done`
  const signalled = runScript(script, {
    reaper: true,
    // The script has set its trap when it sleeps for the first time: signals before that end it, by the same way.
    onStart: pid => void setTimeout(() => process.kill(pid, 'SIGUSR2'), 200),
  })
  assert.equal((await signalled).status, 45)
  const ended = runScript('while :; do sleep 0.02; done', {
    reaper: true,
    onStart: pid => void setTimeout(() => process.kill(pid, 'SIGTERM'), 100),
  })
  assert.deepEqual(await ended, { status: 143, signal: null })
})

test('under a reaper: nothing but 0, 1 and 2 is open in it', async () => {
  const { status } = await runScript('[ "$(ls /proc/1/fd | tr "\\n" " ")" = "0 1 2 " ] && exit 46', {
    reaper: true,
  })
  assert.equal(status, 46)
})
