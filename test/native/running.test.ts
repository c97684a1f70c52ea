// Ops on processes that run already: found by PID and start time, signalled, waited for, joined.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { spawnExecutor } from '../../src/system/executor.ts'
import { identify } from '../../src/system/process-identity.ts'
import { until } from './clients.ts'
import { call, errnoOf, inSandbox, NEW, succeed } from './executors.ts'

const SIGTERM = 15

async function withProcess(
  command: string[],
  body: (child: ChildProcess, startTimeTicks: string) => Promise<void>,
): Promise<void> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'ignore', 'inherit'] })
  const end = once(child, 'exit')
  try {
    await body(child, identify(child.pid!)!.startTimeTicks)
  } finally {
    child.kill('SIGKILL')
    await end
  }
}

test('open_process takes the process of that PID and start time, and no other', () =>
  inSandbox(({ executor }) =>
    withProcess(['sleep', '1000'], async ({ pid }, startTimeTicks) => {
      await succeed(executor, call('open_process', pid!, startTimeTicks, 0))
      assert.equal(await errnoOf(executor, call('open_process', pid!, `${startTimeTicks}1`, 1)), 'ESRCH')
      assert.equal(await errnoOf(executor, call('open_process', pid!, '', 1)), 'ESRCH')
      assert.equal(await errnoOf(executor, call('signal_process', 1, SIGTERM)), 'EBADF')
    }),
  ))

test('open_process: a process whose name looks like the end of the field is found, a zombie is not', () =>
  inSandbox(({ executor }) =>
    withProcess(
      ['bash', '-c', `printf ') Z 1 2' > /proc/$$/comm; read -r _; exit 0`],
      async ({ pid, stdin }, startTimeTicks) => {
        await until(() => readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith(') Z'), 'its name')
        await succeed(executor, call('open_process', pid!, startTimeTicks, 0))
        stdin!.end('\n')
        await succeed(executor, call('await_exit', 0, 10_000))
        assert.equal(await errnoOf(executor, call('open_process', pid!, startTimeTicks, 1)), 'ESRCH')
      },
    ),
  ))

test('signal_process and await_exit: the end is noticed, and a time limit kept', () =>
  inSandbox(({ executor }) =>
    withProcess(['sleep', '1000'], async ({ pid }, startTimeTicks) => {
      await succeed(executor, call('open_process', pid!, startTimeTicks, 0))
      assert.equal(await errnoOf(executor, call('await_exit', 0, 1)), 'ETIMEDOUT')
      await succeed(executor, call('signal_process', 0, SIGTERM), call('await_exit', 0, 10_000))
      await until(() => !existsSync(`/proc/${pid}`), 'its end')
      assert.equal(await errnoOf(executor, call('signal_process', 0, SIGTERM)), 'ESRCH')
    }),
  ))

test('await_exit does not outlive its client', () =>
  withProcess(['sleep', '1000'], async ({ pid }) => {
    const { executor, close, pid: executorPid } = spawnExecutor()
    await succeed(executor, call('open_process', pid!, identify(pid!)!.startTimeTicks, 0))
    const waiting = executor.perform([call('await_exit', 0, 2 ** 31 - 1)])
    await until(() => readFileSync(`/proc/${executorPid}/wchan`, 'utf8').includes('poll'), 'it waits')
    await close()
    assert.deepEqual(await waiting, { answers: [], closed: true })
    assert.ok(identify(pid!))
  }))

test('await_content waits for a whole line of a file', () =>
  inSandbox(async ({ executor, directory, inside }) => {
    const path = join(directory, 'freezer.state')
    writeFileSync(join(inside, 'freezer.state'), 'FREEZING\nNOT FROZEN\n')
    assert.equal(await errnoOf(executor, call('await_content', path, 'FROZEN', 5)), 'ETIMEDOUT')
    assert.equal(await errnoOf(executor, call('await_content', `${path}.not`, 'FROZEN', 5)), 'ENOENT')
    const waiting = succeed(executor, call('await_content', path, 'FROZEN', 10_000))
    appendFileSync(join(inside, 'freezer.state'), 'FROZEN')
    await waiting
  }))

test('await_absence waits until there is nothing of that name, or until whoever was to remove it has ended', () =>
  inSandbox(({ executor, directory, inside }) =>
    withProcess(['sleep', '1000'], async (child, startTimeTicks) => {
      const [path, file, nobody] = [join(directory, 'socket'), join(inside, 'socket'), -1]
      writeFileSync(file, '')
      assert.equal(await errnoOf(executor, call('await_absence', path, 1, nobody)), 'ETIMEDOUT')
      assert.equal(
        await errnoOf(executor, call('await_absence', path, 60_000, 0)),
        'ESRCH',
        'nobody is there',
      )
      await succeed(executor, call('open_process', child.pid!, startTimeTicks, 0))
      assert.equal(await errnoOf(executor, call('await_absence', path, 1, 0)), 'ETIMEDOUT')
      const waiting = errnoOf(executor, call('await_absence', path, 60_000, 0))
      child.kill('SIGKILL')
      assert.equal(await waiting, 'ESRCH')
      rmSync(file)
      await succeed(
        executor,
        call('await_absence', path, 60_000, 0),
        call('await_absence', path, 60_000, nobody),
      )
    }),
  ))

test('setns joins several namespaces of a process at once, and leaves no directory of the host open', () =>
  inSandbox(({ executor, pid: executorPid }) =>
    withProcess(['unshare', '-m', '-u', '-i', 'sleep', '1000'], async ({ pid }) => {
      const link = (of: number, name: string) => readlinkSync(`/proc/${of}/ns/${name}`)
      await until(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep'), 'the program')
      await succeed(
        executor,
        call('open_process', pid!, identify(pid!)!.startTimeTicks, 0),
        call('setns', 0, NEW.mount | NEW.uts | NEW.ipc),
      )
      for (const name of ['mnt', 'uts', 'ipc', 'net']) {
        assert.equal(link(executorPid, name), link(pid!, name), name)
      }
      assert.equal(readlinkSync(`/proc/${executorPid}/cwd`), '/')
    }),
  ))
