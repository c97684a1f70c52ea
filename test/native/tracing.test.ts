// Who may look into an executor: in a joined PID namespace there are processes that nobody vouches for.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { test } from 'node:test'
import { Monitor } from '../../src/system/monitor.ts'
import { until } from './clients.ts'
import { call, NEW, succeed } from './executors.ts'

const sysPtrace = 19
const allBut = ~(1n << BigInt(sysPtrace)) & ((1n << 41n) - 1n)

/** The capabilities of this process but the one to trace any other. */
function heldWithoutTracing(): bigint {
  const status = execFileSync('grep', ['CapPrm', '/proc/self/status'], { encoding: 'utf8' })
  return BigInt(`0x${status.split(/\s+/)[1]}`) & allBut
}

/** What root without CAP_SYS_PTRACE is told, in the PID namespace of `pid`. */
function asHostileRoot(pid: number, script: string): string {
  const without = ['--bounding-set', '-sys_ptrace', '--inh-caps', '-sys_ptrace']
  const { stdout, stderr } = spawnSync(
    'nsenter',
    ['-t', String(pid), '-p', '-m', 'setpriv', ...without, 'sh', '-c', script],
    { encoding: 'utf8' },
  )
  return stdout + stderr
}

test('an executor with no more rights than its neighbours is closed to them', async () => {
  const other = Monitor.spawn({ stdin: 'ignore' })
  const own = Monitor.spawn({ stdin: 'ignore' })
  try {
    await succeed(other.host, call('spawn_init', 0, 0))
    const answers = await succeed(
      other.init,
      call('unshare', NEW.pid | NEW.mount),
      call('mount', '', '', '/', '', 16384 | (1 << 18), '', 0),
      call('fork'),
      call('mount', 'proc', '', '/proc', 'proc', 0, '', 0),
    )
    const pid = answers[2]!.result
    await succeed(other.host, call('watch', pid))
    await other.init.perform([call('execve', ['/bin/sleep'], ['sleep', '1000'], [])])
    await until(() => readlinkSync(`/proc/${pid}/exe`).endsWith('sleep'), 'the program runs')

    await succeed(own.host, call('spawn_init', 0, 0))
    const held = heldWithoutTracing()
    const joined = await succeed(
      own.init,
      call('open', '', `/proc/${pid}/ns/pid`, 2, 0),
      call('setns', 0, NEW.pid),
      call('fork'),
      call('drop_bounding_set', 1n << BigInt(sysPtrace)),
      call('capset', held, held, 0n),
    )
    assert.ok(joined[2]!.result > 0)
    assert.match(asHostileRoot(pid, 'cat /proc/2/comm'), /^minictr-init\n$/)
    const refused = /^(?!.*->)(?!.*socket)(?!.*memfd).*(Permission denied|Operation not permitted)/s
    for (const look of [
      'ls -l /proc/2/fd',
      'readlink -v /proc/2/exe',
      'ls /proc/2/cwd/',
      'ls /proc/2/root/',
    ]) {
      assert.match(asHostileRoot(pid, look), refused, look)
    }
    // What it becomes is again like any other process.
    const { closed } = await own.init.perform([call('execve', ['/bin/sleep'], ['sleep', '1000'], [])])
    assert.equal(closed, true)
    assert.match(asHostileRoot(pid, 'readlink /proc/2/exe'), /sleep\n$/)
  } finally {
    await own.close()
    other.tell('signal', 9)
    await other.close()
  }
})
