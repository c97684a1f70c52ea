// How much of the machine a container may use: limits in the files of its cgroup, seen from inside, and enforced.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, it } from 'node:test'
import { hierarchyOf } from '../../src/runtime/host.ts'
import { hostFacts } from '../../src/system/host-facts.ts'
import { useDebian } from './debian.ts'

const debian = useDebian()
const facts = hostFacts()
const MEBIBYTE = 1024 ** 2

const versionOf = (controller: string) => hierarchyOf(facts, controller)?.version

/** The file of a limit as the container sees it, named by the cgroup version its controller lives in here. */
function limitFile(controller: string, v1: string, v2: string): string {
  return versionOf(controller) === 1 ? `/sys/fs/cgroup/${controller}/${v1}` : `/sys/fs/cgroup/${v2}`
}

async function assertRefused(words: RegExp, ...flags: string[]): Promise<void> {
  const { status, stdout, stderr } = await debian.run(flags, ['true'])
  assert.deepEqual({ status, stdout }, { status: 125, stdout: '' }, stderr)
  assert.match(stderr, words)
}

describe('--memory', () => {
  /** Asks for 100 MB and says so when it has them. */
  const hog = 'my $x = "a" x 100_000_000; print length $x'

  it('ends a process that takes more, and no other', async () => {
    const flags = ['--memory', '32m', '--memory-swap', '32m']
    assert.deepEqual(await debian.run(flags, ['perl', '-e', hog]), { status: 137, stdout: '', stderr: '' })
    const { stdout } = await debian.run(flags, ['bash', '-c', `perl -e '${hog}'; echo $?`])
    assert.equal(stdout, '137\n')
    assert.equal((await debian.run(['-m', '256m'], ['perl', '-e', hog])).stdout, '100000000')
  })

  it('is seen inside, with the same again of swap where nothing is said of it', async () => {
    const memory = limitFile('memory', 'memory.limit_in_bytes', 'memory.max')
    const swap = limitFile('memory', 'memory.memsw.limit_in_bytes', 'memory.swap.max')
    const counted = versionOf('memory') === 1 ? 64 * MEBIBYTE : 0
    const script = `cat ${memory}; [ ! -e ${swap} ] || cat ${swap}`
    for (const [more, swapBytes] of [
      [[], counted + 64 * MEBIBYTE],
      [['--memory-swap', '96m'], counted + 32 * MEBIBYTE],
    ] as const) {
      const [limit, limitWithSwap] = (await debian.inside(script, '-m', '64m', ...more)).split('\n')
      assert.equal(Number(limit), 64 * MEBIBYTE)
      if (limitWithSwap !== undefined) assert.equal(Number(limitWithSwap), swapBytes)
    }
  })

  it('is refused where it makes no sense', async () => {
    await assertRefused(/Minimum memory limit allowed is 6MB/, '-m', '1m')
    await assertRefused(/memoryswap limit should be larger/, '-m', '64m', '--memory-swap', '32m')
    await assertRefused(/always set the Memory limit when using Memoryswap/, '--memory-swap', '64m')
  })
})

describe('processors', () => {
  it('are limited by --cpus, --cpu-shares and --cpuset-cpus', async () => {
    const isV1 = versionOf('cpu') === 1
    const names = isV1 ? ['cpu.cfs_quota_us', 'cpu.cfs_period_us', 'cpu.shares'] : ['cpu.max', 'cpu.weight']
    const files = names.map(name => limitFile('cpu', name, name)).join(' ')
    const cpuset = limitFile('cpuset', 'cpuset.cpus', 'cpuset.cpus')
    const flags = ['--cpus', '0.5', '--cpu-shares', '512', '--cpuset-cpus', '0']
    const seen = await debian.inside(`echo $(cat ${files}); cat ${cpuset}; nproc`, ...flags)
    assert.equal(seen, isV1 ? '50000 100000 512\n0\n1' : '50000 100000 59\n0\n1')
    const quota = await debian.inside(`echo $(cat ${files})`, '--cpu-quota', '20000', '--cpu-period', '40000')
    assert.match(quota, /^20000 40000 /)
  })

  it('are refused where the host has them not', async () => {
    await assertRefused(/as there are only \d+ CPUs available/, '--cpus', '9999')
    await assertRefused(/Requested CPUs are not available - requested 999/, '--cpuset-cpus', '999')
    await assertRefused(/CPUs and CPU Quota cannot both be set/, '--cpus', '1', '--cpu-quota', '5000')
  })
})

describe('--pids-limit', () => {
  /** Forks until the kernel refuses; prints how many children it had and why there were no more. */
  const forks =
    'while ($n < 50) { $pid = fork; last if !defined $pid; if (!$pid) { sleep 60; exit } $n++ } print "$n $!"'

  it('stops a program that forks without end, and is seen inside', async () => {
    const { stdout } = await debian.run(['--pids-limit', '12'], ['perl', '-e', forks])
    // One less while the process that forked the container's first one has not been waited for.
    assert.match(stdout, /^1[01] Resource temporarily unavailable$/)
    assert.match((await debian.run(['--pids-limit', '-1'], ['perl', '-e', forks])).stdout, /^50 /)
    const file = limitFile('pids', 'pids.max', 'pids.max')
    const seen = await debian.run(['--pids-limit', '20'], ['sh', '-c', `cat ${file}; echo 100 > ${file}`])
    assert.equal(seen.stdout, '20\n')
    assert.match(seen.stderr, /Read-only file system/)
  })
})

describe('--blkio-weight', () => {
  it('is set where a scheduler obeys weights, else it is said that it is not', async () => {
    const file = facts.blockWeightFile ?? 'none'
    const script = `cat /sys/fs/cgroup/blkio/${file} /sys/fs/cgroup/${file} 2> /dev/null; true`
    const { status, stdout, stderr } = await debian.run(['--blkio-weight', '300'], ['sh', '-c', script])
    assert.equal(status, 0, stderr)
    if (facts.blockWeightFile === undefined) assert.match(stderr, /^WARNING: .*Weight discarded/)
    else assert.match(stdout, /(^|default )300\n/)
  })
})

describe('the cgroup of a container', () => {
  it('is gone with it, even where processes are left in it', async () => {
    const groups = await debian.inside('setsid sleep 1000 & cat /proc/self/cgroup', '-m', '64m')
    const id = /\/minictr\/([0-9a-f]{64})/.exec(groups)?.[1]
    assert.ok(id !== undefined || groups === '0::/', groups)
    for (const { mountPoint } of facts.cgroups) assert.ok(!existsSync(`${mountPoint}/minictr/${id}`))
  })
})
