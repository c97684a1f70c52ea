// How a container's end is told: Docker's exit statuses, and the words for what could not be started.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { useDebian } from './debian.ts'

const debian = useDebian()

async function assertRefused(
  status: number,
  words: RegExp,
  flags: string[],
  command: string[],
): Promise<void> {
  const outcome = await debian.run(flags, command)
  assert.equal(outcome.status, status, outcome.stderr)
  assert.match(outcome.stderr, words)
  assert.match(outcome.stderr, /^minictr: /)
  assert.doesNotMatch(outcome.stderr, /^ +at |\.ts:\d/m, 'no stack trace')
  assert.equal(outcome.stdout, '')
}

describe('the exit status', () => {
  it("is the program's own", async () => {
    for (const status of [0, 1, 2, 77, 124, 255]) {
      const outcome = await debian.run([], ['sh', '-c', `exit ${status}`])
      assert.deepEqual(outcome, { status, stdout: '', stderr: '' })
    }
  })

  it('is 128 + n where signal n ended the program', async () => {
    for (const [signal, number] of Object.entries({ KILL: 9, TERM: 15, SEGV: 11 })) {
      // PID 1 gets no signal from inside that it has no handler for, so --init stands above.
      const { status } = await debian.run(['--init'], ['bash', '-c', `kill -${signal} $BASHPID`])
      assert.equal(status, 128 + number, signal)
    }
  })

  it('is 127 where the program is not there', async () => {
    await assertRefused(127, /exec: "nosuch": executable file not found in \$PATH/, [], ['nosuch'])
    await assertRefused(
      127,
      /exec: "\/no\/such": stat \/no\/such: no such file or directory/,
      [],
      ['/no/such'],
    )
    await assertRefused(127, /exec: "": executable file not found in \$PATH/, [], [''])
    await assertRefused(127, /"nosuch"/, ['--entrypoint', 'nosuch'], ['argument'])
    await assertRefused(127, /"etc"/, ['--workdir', '/'], ['etc'])
  })

  it('is 126 where the program cannot be executed', async () => {
    await assertRefused(126, /exec: "\/etc": permission denied/, [], ['/etc'])
    await assertRefused(126, /exec: "\/etc\/passwd": permission denied/, [], ['/etc/passwd'])
    await assertRefused(126, /exec: "\/root\/x": permission denied/, ['--user', 'daemon'], ['/root/x'])
    const odd = join(debian.directory(), 'odd')
    writeFileSync(odd, '\0no program', { mode: 0o755 })
    await assertRefused(126, /exec: "\/t\/x": exec format error/, ['-v', `${odd}:/t/x`], ['/t/x'])
  })

  it('is 125 where minictr itself refuses', async () => {
    await assertRefused(125, /working directory 'relative' is invalid/, ['-w', 'relative'], ['true'])
    await assertRefused(
      125,
      /working directory .* \/etc\/passwd, or a part of it, is not a directory/,
      ['-w', '/etc/passwd'],
      ['true'],
    )
    await assertRefused(
      125,
      /\/etc\/passwd\/x, or a part of it, is not a directory/,
      ['-w', '/etc/passwd/x'],
      ['true'],
    )
    await assertRefused(125, /Unable to find user nosuch/i, ['-u', 'nosuch'], ['true'])
    await assertRefused(125, /Unable to find group nosuch/i, ['-u', '0:nosuch'], ['true'])
    await assertRefused(125, /Unable to find group nosuch/i, ['--group-add', 'nosuch'], ['true'])
    await assertRefused(125, /not between 0 and 2147483647/, ['-u', '99999999999'], ['true'])
    await assertRefused(125, /unknown flag: --no-such-flag/, ['--no-such-flag'], ['true'])
  })

  it('is 1 where a terminal is asked for and there is none', async () => {
    await assertRefused(1, /the input device is not a TTY/, ['-it'], ['true'])
  })

  it('is 125 or Docker’s where the kernel refuses a step: which one, which call, why, and what became of the rest', async () => {
    const refused = ['--sysctl', 'net.no_such_setting=1']
    await assertRefused(
      127,
      /^minictr: step \d+\/\d+ \(set-sysctls\) failed: write\("\/proc\/sys\/net\/no_such_setting", "1"\) = ENOENT\nLikely cause: this kernel has no setting net\.no_such_setting\.\nUndone: create-cgroup, create-container-directory, claim-name\nSee write\(2\)/,
      refused,
      ['true'],
    )
    await assertRefused(
      125,
      /does not take "abc" for net\.core\.somaxconn/,
      ['--sysctl', 'net.core.somaxconn=abc'],
      ['true'],
    )
    await assertRefused(
      125,
      /lets no process open more than \d+ files/,
      ['--ulimit', 'nofile=99999999999'],
      ['true'],
    )
    await assertRefused(
      125,
      /mount\("tmpfs", .*"size=abc"\) = EINVAL\nLikely cause: an option/,
      ['--tmpfs', '/x:size=abc'],
      ['true'],
    )
  })

  it('is 1 where another command than run fails, 125 where a flag of it is wrong', async () => {
    const { image } = debian.store()
    const create = ['create', '--network', 'none', '--name', 'taken']
    await debian.minictr(...create, image, 'true')
    for (const [status, words, ...args] of [
      [1, /Conflict\. The container name "\/taken" is already in use/, ...create, image, 'true'],
      [1, /bind source path does not exist/, 'create', '--mount', 'type=bind,src=/no,dst=/x', image, 'true'],
      [1, /Invalid signal: FOO/, 'kill', '-s', 'FOO', 'taken'],
      [1, /Invalid signal: FOO/, 'stop', '-s', 'FOO', 'taken'],
      [125, /invalid argument "x" for "-t, --timeout" flag: parsing "x"/, 'stop', '-t', 'x', 'taken'],
      [125, /invalid argument "x" for "--time" flag: parsing "x"/, 'restart', '--time', 'x', 'taken'],
    ] as [number, RegExp, ...string[]][]) {
      const outcome = await debian.minictr(...args)
      assert.deepEqual([outcome.status, outcome.stdout], [status, ''], args.join(' '))
      assert.match(outcome.stderr, words)
    }
    assert.equal((await debian.minictr('rm', 'taken')).status, 0)
  })
})
