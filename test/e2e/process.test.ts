// The program as it finds itself: its arguments, its number, its limits, and who reaps its orphans.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { useDebian } from './debian.ts'

const debian = useDebian()

describe('--env-file', () => {
  it('is read by minictr, not by the Node below it', async () => {
    const directory = debian.directory()
    writeFileSync(
      join(directory, 'one'),
      '# comment\n\nA=1\nB=with spaces and = signs \nFROM_HOST\nNODE_OPTIONS=--nonsense\n',
    )
    writeFileSync(join(directory, 'two'), 'A=2\nC="quotes stay"\n')
    const flags = ['--env-file', join(directory, 'one'), '--env-file', join(directory, 'two'), '-e', 'C=3']
    const { stdout } = await debian.run(flags, ['env'], { env: { FROM_HOST: 'x' } })
    const lines = stdout.split('\n').filter(line => /^(A|B|C|FROM_HOST)=/.test(line))
    assert.deepEqual(lines.sort(), ['A=2', 'B=with spaces and = signs ', 'C=3', 'FROM_HOST=x'])
    const { status, stderr } = await debian.run(['--env-file', join(directory, 'nosuch')], ['true'])
    assert.equal(status, 125)
    assert.match(stderr, /nosuch: no such file or directory/)
  })
})

describe('the program', () => {
  it('is the command, behind the entry point', async () => {
    const { stdout } = await debian.run(['--entrypoint', '/bin/echo'], ['-n', 'a  b', ''])
    assert.equal(stdout, 'a  b ')
  })

  it('keeps every flag that stands behind the image', async () => {
    assert.equal(
      (await debian.run([], ['echo', '--rm', '-it', '--', '--help'])).stdout,
      '--rm -it -- --help\n',
    )
  })

  it('is PID 1 and has no parent', async () => {
    assert.equal(await debian.inside('echo $$ $PPID; exec cat /proc/1/comm'), '1 0\ncat')
  })

  it('is looked for in the PATH of the container', async () => {
    const file = join(debian.directory(), 'mine')
    writeFileSync(file, '#!/bin/sh\necho found\n', { mode: 0o755 })
    const { stdout } = await debian.run(['-e', 'PATH=/a:/b', '-v', `${file}:/b/mine`], ['mine'])
    assert.equal(stdout, 'found\n')
  })
})

describe('the user', () => {
  it('may start in a directory that only root may enter, as in Docker', async () => {
    assert.equal(await debian.inside('pwd', '-w', '/root', '-u', 'daemon'), '/root')
  })

  it('has no capabilities unless it is root', async () => {
    const status = await debian.inside('grep -E "Cap(Prm|Eff|Inh|Amb)" /proc/self/status', '-u', '1')
    assert.deepEqual(new Set(status.match(/[0-9a-f]{16}/g)), new Set(['0000000000000000']))
  })
})

describe('limits and settings', () => {
  it('--ulimit holds, soft and hard', async () => {
    const flags = ['--ulimit', 'nofile=100:200', '--ulimit', 'core=0', '--ulimit', 'cpu=-1:-1']
    assert.equal(
      await debian.inside('ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -t', ...flags),
      '100\n200\n0\nunlimited',
    )
    const { status, stderr } = await debian.run(['--ulimit', 'nofile=9:3'], ['true'])
    assert.equal(status, 125)
    assert.match(stderr, /ulimit soft limit must be less than or equal to hard limit: 9 > 3/)
  })

  it('--sysctl sets what belongs to the container alone', async () => {
    const flags = ['--sysctl', 'net.core.somaxconn=77', '--sysctl', 'kernel.shmmax=12345678']
    assert.equal(
      await debian.inside('cat /proc/sys/net/core/somaxconn /proc/sys/kernel/shmmax', ...flags),
      '77\n12345678',
    )
    for (const setting of ['vm.swappiness=1', 'kernel.hostname=x', 'kernel.panic=1']) {
      const { status, stderr } = await debian.run(['--sysctl', setting], ['true'])
      assert.equal(status, 125)
      assert.match(stderr, /is not allowed/)
    }
  })

  it('--oom-score-adj sets the score', async () => {
    assert.equal(await debian.inside('cat /proc/self/oom_score_adj', '--oom-score-adj', '321'), '321')
  })

  it('--init says nothing of the host by its name', async () => {
    assert.equal(await debian.inside("tr -d '\\0' < /proc/1/cmdline", '--init'), 'minictr-init')
  })

  it('--init reaps orphans', async () => {
    const script = '(sleep 0.1 &) ; (sleep 0.1 &); sleep 0.4; cat /proc/1/comm; set -- /proc/[0-9]*; echo $#'
    const [first, count] = (await debian.inside(script, '--init')).split('\n')
    assert.notEqual(first, 'sh')
    assert.equal(count, '2', 'the init and the shell')
    const zombies = await debian.run([], ['bash', '-c', '(sleep 0.1 &) ; exec sleep 0.3'])
    assert.equal(zombies.status, 0)
  })
})
