// The monitor that the launcher starts before Node: the same conversation, over descriptors that Node was started with.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { helperPath } from '../../src/system/executor.ts'
import { client, isThere, stopped, textOf, until } from './clients.ts'

const monitorModule = join(import.meta.dirname, '../../src/system/monitor.ts')

/** The children of a process that have this name. */
function childrenOf(pid: number, name: string): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(pid), name], { encoding: 'utf8' })
  return stdout.split('\n').filter(Boolean).map(Number)
}

/** What a program of Node's prints that was started beside a monitor. */
function nodeBeside(program: string): string {
  const args = ['beside', process.execPath, '--input-type=module', '--eval', program]
  const { stdout, stderr } = spawnSync(helperPath(), args, { encoding: 'utf8' })
  assert.equal(stderr, '')
  return stdout
}

test('runs a script with input, output and exit status', async t => {
  const child = client(t, { script: 'tr a-z A-Z; echo err >&2; exit 42', stdin: true }, 'launched')
  child.stdin!.end('some input')
  const [stdout, stderr, [status]] = await Promise.all([
    textOf(child.stdout!),
    textOf(child.stderr!),
    once(child, 'exit'),
  ])
  assert.deepEqual({ stdout, stderr, status }, { stdout: 'SOME INPUT', stderr: 'err\n', status: 42 })
})

test('a signal gets through while the end is waited for', async t => {
  const script = 'trap "echo caught; exit 7" USR1; echo ready; while :; do sleep 0.05; done'
  const child = client(t, { script }, 'launched')
  const ended = once(child, 'exit')
  let said = ''
  for await (const chunk of child.stdout!) {
    said += chunk
    if (said === 'ready\n') child.kill('SIGUSR1')
  }
  assert.equal(said, 'ready\ncaught\n')
  assert.deepEqual(await ended, [7, null])
})

test('what is killed before a program runs leaves no process', async t => {
  const child = client(t, { script: 'echo', stopAt: 'before-watch' }, 'launched')
  const { monitor, container } = await stopped(child)
  child.kill('SIGKILL')
  await until(() => !isThere(container) && !isThere(monitor), 'monitor and container end')
})

test('a container goes on without the client, and what is left is cleaned up at its end', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'minictr-beside-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'cleaned')
  const script = `while ! [ -e ${directory}/go ]; do sleep 0.02; done`
  const onOrphan = ['/bin/sh', '-c', `echo >${file}`]
  const child = client(t, { script, hostPid: true, onOrphan, stopAt: 'running' }, 'launched')
  const { monitor, container } = await stopped(child)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(isThere(container), true)
  spawnSync('touch', [`${directory}/go`])
  await until(() => existsSync(file) && !isThere(monitor), 'the clean-up command runs')
})

test('a monitor that is killed is an error of whoever waits for its container', async t => {
  const child = client(t, { script: 'echo ready; sleep 100' }, 'launched')
  const stderr = textOf(child.stderr!)
  await once(child.stdout!, 'data')
  const [monitor] = childrenOf(child.pid!, 'minictr-monitor')
  const ended = once(child, 'exit')
  process.kill(monitor!, 'SIGKILL')
  assert.deepEqual(await ended, [1, null])
  assert.match(await stderr, /the monitor ended before its container/)
})

test('it is taken once, and neither variable nor sockets go on to other programs', () => {
  const seen = nodeBeside(`
    import { spawn, spawnSync } from 'node:child_process'
    import { Monitor } from '${monitorModule}'
    const first = Monitor.ofLauncher(), second = Monitor.ofLauncher()
    const script = 'echo \${MINICTR_MONITOR-no variable}; for fd in 3 4; do [ ! -e /proc/self/fd/$fd ] && echo no $fd; done'
    console.log(first !== undefined, second, spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout)
  `)
  assert.equal(seen, 'true undefined no variable\nno 3\nno 4\n\n')
})

test('without the launcher there is none, whatever the variable says', () => {
  const program = `import { Monitor } from '${monitorModule}'; console.log(Monitor.ofLauncher())`
  const args = ['--input-type=module', '--eval', program]
  const { stdout } = spawnSync(process.execPath, args, {
    env: { MINICTR_MONITOR: '1' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  assert.equal(stdout, 'undefined\n')
})

test('who is in front ends as the program does: by its word, its status or its signal, and takes it along', async t => {
  const ends = (program: string) => {
    const args = ['beside', 'sh', '-c', program].map(word => (word === 'sh' ? '/bin/sh' : word))
    const { status, signal } = spawnSync(helperPath(), args)
    return status ?? signal
  }
  assert.equal(ends('exit 3'), 3)
  assert.equal(ends('kill -ABRT $$'), 'SIGABRT')
  // As minictr says it: one byte, long before it has ended itself.
  assert.equal(ends("printf '\\007' >&5; exec sleep 100"), 7)
  const child = spawn(helperPath(), ['beside', '/bin/sh', '-c', 'echo $$; exec sleep 100'])
  t.after(() => child.kill('SIGKILL'))
  const [said] = await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await until(() => !isThere(Number(said)), 'the program goes with it')
})

test('who is in front hands on the signals that come to it alone', async t => {
  const child = spawn(helperPath(), [
    'beside',
    '/bin/sh',
    '-c',
    'trap "exit 9" TERM; echo ready; while :; do sleep 0.02; done',
  ])
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [9, null])
})

test('a program that cannot be executed is said', () => {
  const { status, stderr } = spawnSync(helperPath(), ['beside', '/no/such/node', 'x'], { encoding: 'utf8' })
  assert.equal(status, 125)
  assert.match(stderr, /cannot execute \/no\/such\/node: No such file/)
})
