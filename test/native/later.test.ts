// The role later: a small process that sleeps and becomes a program, and stays the same process to everybody who looks.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { helperPath } from '../../src/system/executor.ts'
import { identify } from '../../src/system/process-identity.ts'
import { isThere, textOf, until } from './clients.ts'

/** Starts it with its output to us; it does not outlive the test. */
function later(t: TestContext, delayMs: number, command: string[]) {
  const child = spawn(helperPath(), ['later', String(delayMs), ...command], { stdio: 'pipe' })
  t.after(() => child.kill('SIGKILL'))
  return child
}

test('it becomes the program with its arguments, in no directory of the caller’s', async t => {
  const child = later(t, 0, ['/bin/sh', '-c', 'pwd; echo "$0 $1"', 'zero', 'and one'])
  assert.equal(await textOf(child.stdout!), '/\nzero and one\n')
})

test('it keeps PID and start time, takes a tenth of a megabyte, and is killed like any process', async t => {
  const child = later(t, 600_000, ['/bin/true'])
  const identity = identify(child.pid!)
  await until(() => readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').startsWith(helperPath()), 'it runs')
  const kilobytes = Number(
    /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/smaps_rollup`, 'utf8'))![1],
  )
  assert.ok(kilobytes < 300, `${kilobytes} kB`)
  assert.deepEqual(identify(child.pid!), identity)
  child.kill('SIGKILL')
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL'])

  const stays = later(t, 50, ['/bin/sh', '-c', 'echo $$; cut -d" " -f22 /proc/$$/stat; read line'])
  const before = identify(stays.pid!)!
  stays.stdin!.end('\n')
  assert.equal(await textOf(stays.stdout!), `${before.pid}\n${before.startTimeTicks}\n`)
})

test('it stands in a session of its own, without the descriptors of the one that started it', async t => {
  const file = openSync('/etc/passwd', 'r')
  t.after(() => closeSync(file))
  const script =
    'cut -d" " -f6 /proc/$$/stat; for fd in 3 4 5 6 7; do [ ! -e /proc/$$/fd/$fd ] || echo $fd; done'
  const child = spawn(helperPath(), ['later', '0', '/bin/bash', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit', file, file, file],
  })
  assert.equal(await textOf(child.stdout!), `${child.pid}\n`)
})

test('started by minictr it has nothing but /dev/null, and goes on when that has ended', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'minictr-later-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const module = join(import.meta.dirname, '../../src/system/executor.ts')
  const links = '/proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2'
  const script = `links=$(readlink ${links}); echo "$links" > ${directory}/seen; mv ${directory}/seen ${directory}/all`
  const command = ['/bin/sh', '-c', script]
  const program = `import { spawnLater } from '${module}'; console.log(spawnLater(100, ${JSON.stringify(command)}))`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  })
  await until(() => existsSync(`${directory}/all`), 'the program runs')
  assert.equal(readFileSync(`${directory}/all`, 'utf8'), '/dev/null\n'.repeat(3))
  await until(() => !isThere(Number(stdout)), 'it ends')
})

test('what is no time, or no program, is said', () => {
  const said = (...args: string[]) => {
    const { status, stderr } = spawnSync(helperPath(), ['later', ...args], { encoding: 'utf8' })
    return { status, stderr }
  }
  for (const time of ['', 'x', '-1', '1s', '99999999999']) {
    assert.deepEqual(said(time, '/bin/true'), {
      status: 125,
      stderr: 'minictr-helper: cannot execute /bin/true: Invalid argument\n',
    })
  }
  assert.deepEqual(said('0', '/no/such'), {
    status: 125,
    stderr: 'minictr-helper: cannot execute /no/such: No such file or directory\n',
  })
  assert.equal(said('0').status, 64)
})
