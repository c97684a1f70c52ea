// update: other limits, at once where the container runs and from its next start on; another restart policy.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, it } from 'node:test'
import { hierarchyOf } from '../../src/runtime/host.ts'
import { hostFacts } from '../../src/system/host-facts.ts'
import { useDebian } from './debian.ts'
import { detached, eventsOf, stateOf } from './detached.ts'

const debian = useDebian()
const MIB = 1024 ** 2

afterEach(async () => {
  await debian.minictr('rm', '-f', 'box')
})

const update = (...args: string[]) => debian.minictr('update', ...args)

function configOf(id: string) {
  return JSON.parse(readFileSync(join(debian.store().root, 'containers', id, 'config.json'), 'utf8'))
}

/** The limits that the kernel has for the container, by the names of cgroup v1 whatever this host has. */
function kernelLimits(id: string) {
  const read = (controller: string, file: string) => {
    const hierarchy = hierarchyOf(hostFacts(), controller)!
    return readFileSync(`${hierarchy.mountPoint}/minictr/${id}/${file}`, 'utf8').trim()
  }
  const isLegacy = (controller: string) => hierarchyOf(hostFacts(), controller)!.version === 1
  const number = (text: string) => (text === 'max' || Number(text) > 2 ** 60 ? -1 : Number(text))
  const [quota, period] = isLegacy('cpu')
    ? [read('cpu', 'cpu.cfs_quota_us'), read('cpu', 'cpu.cfs_period_us')]
    : read('cpu', 'cpu.max').split(' ')
  const memory = number(read('memory', isLegacy('memory') ? 'memory.limit_in_bytes' : 'memory.max'))
  const together = () =>
    isLegacy('memory')
      ? number(read('memory', 'memory.memsw.limit_in_bytes'))
      : [number(read('memory', 'memory.swap.max'))].map(swap => (swap < 0 ? -1 : swap + memory))[0]!
  return {
    memory,
    swap: hostFacts().swapLimit ? together() : undefined,
    cpus: number(quota!) < 0 ? -1 : number(quota!) / number(period!),
    pids: number(read('pids', 'pids.max')),
    cpuset: read('cpuset', 'cpuset.cpus'),
  }
}

describe('update of a container that runs', () => {
  it('has the kernel and the next start take the new limits', async () => {
    const id = await detached(debian, 'box', undefined, '-m', '64m', '--pids-limit', '100')
    const args = [
      '-m',
      '128m',
      '--memory-swap',
      '256m',
      '--cpus',
      '0.5',
      '--pids-limit',
      '50',
      '--cpuset-cpus',
      '0',
    ]
    assert.deepEqual(await update(...args, 'box'), { status: 0, stdout: 'box\n', stderr: '' })
    const expected = {
      memory: 128 * MIB,
      swap: kernelLimits(id).swap && 256 * MIB,
      cpus: 0.5,
      pids: 50,
      cpuset: '0',
    }
    assert.deepEqual(kernelLimits(id), expected)
    await debian.minictr('restart', '-t', '0', 'box')
    assert.deepEqual(kernelLimits(id), expected)
    assert.ok(eventsOf(debian, id).includes('update'))
  })

  it('writes memory and swap in the order that the kernel takes, up, down and without bound', async t => {
    if (!hostFacts().swapLimit) return t.skip('this host cannot limit swap')
    const id = await detached(debian, 'box', undefined, '-m', '64m')
    for (const [memory, swap] of [
      [200, 300],
      [250, 250],
      [40, 50],
      [50, -1],
      [100, -1],
      [30, 31],
    ] as const) {
      const outcome = await update('-m', `${memory}m`, '--memory-swap', swap < 0 ? '-1' : `${swap}m`, 'box')
      assert.deepEqual(outcome, { status: 0, stdout: 'box\n', stderr: '' }, `${memory} ${swap}`)
      const limits = kernelLimits(id)
      assert.deepEqual([limits.memory, limits.swap], [memory * MIB, swap < 0 ? -1 : swap * MIB])
    }
    assert.equal((await update('--memory-swap', '64m', 'box')).status, 0)
    assert.equal(kernelLimits(id).swap, 64 * MIB)
  })

  it('takes limits away with -1', async () => {
    const id = await detached(debian, 'box', undefined, '--pids-limit', '20', '--cpu-quota', '20000')
    assert.equal((await update('--pids-limit', '-1', '--cpu-quota', '-1', 'box')).status, 0)
    const { pids, cpus } = kernelLimits(id)
    assert.deepEqual({ pids, cpus }, { pids: -1, cpus: -1 })
    assert.equal(configOf(id).linux.resources.pids, undefined)
  })

  it('changes nothing where the kernel refuses one of them, and says why', async () => {
    const script = 'x=$(head -c 40000000 /dev/zero | tr "\\0" x); echo ready; sleep 1000; echo $x'
    const id = await detached(debian, 'box', script, '-m', '128m', '--pids-limit', '30')
    const before = { limits: kernelLimits(id), config: configOf(id) }
    const { status, stdout, stderr } = await update('--cpus', '0.5', '-m', '8m', '--memory-swap', '8m', 'box')
    if (status === 0) {
      // Where there is swap, or the kernel kills instead (cgroup v2), the limit holds.
      assert.equal(kernelLimits(id).memory, 8 * MIB)
      return
    }
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' })
    assert.ok(
      stderr.startsWith(`minictr: Cannot update container ${id}: step 2/3 (change-limits) failed: `),
      stderr,
    )
    assert.match(stderr, /memory\.\S+", "8388608"\) = EBUSY\nLikely cause: .*in use/)
    assert.match(stderr, /\nUndone: change-limits\n.*`minictr explain update …`/)
    assert.deepEqual({ limits: kernelLimits(id), config: configOf(id) }, before)
    assert.equal(await stateOf(debian, 'box'), 'Up')
  })
})

describe('update of a container that does not run', () => {
  it('holds from its next start on', async () => {
    const { image } = debian.store()
    await debian.minictr('create', '--name', 'box', '--network', 'none', image, 'sleep', '1000')
    assert.equal(
      (await update('--cpus', '1.5', '--pids-limit', '40', '--cpu-shares', '512', 'box')).status,
      0,
    )
    const id = (await debian.minictr('ps', '-aq', '--no-trunc')).stdout.trim()
    assert.deepEqual(configOf(id).linux.resources.cpu, { shares: 512, quota: 150_000, period: 100_000 })
    await debian.minictr('start', 'box')
    const { cpus, pids } = kernelLimits(id)
    assert.deepEqual({ cpus, pids }, { cpus: 1.5, pids: 40 })
  })

  it('keeps what is not given, and the file whole', async () => {
    const { image, root } = debian.store()
    await debian.minictr('create', '--name', 'box', '--network', 'none', '-m', '64m', image, 'true')
    const id = (await debian.minictr('ps', '-aq', '--no-trunc')).stdout.trim()
    const before = configOf(id)
    await update('--pids-limit', '7', 'box')
    const expected = structuredClone(before)
    expected.linux.resources.pids = { limit: 7 }
    assert.deepEqual(configOf(id), expected)
    assert.equal(existsSync(join(root, 'containers', id, 'config.json.new')), false)
  })

  it('writes another restart policy into the engine’s half', async () => {
    const { image, root } = debian.store()
    await debian.minictr('create', '--name', 'box', '--network', 'none', image, 'true')
    const id = (await debian.minictr('ps', '-aq', '--no-trunc')).stdout.trim()
    assert.equal((await update('--restart', 'on-failure:3', 'box')).status, 0)
    const record = JSON.parse(readFileSync(join(root, 'containers', id, 'container.json'), 'utf8'))
    assert.deepEqual(record.restart, { name: 'on-failure', maximumRetryCount: 3 })
  })
})

describe('update refuses, in the words of Docker,', () => {
  const said = async (...args: string[]) => {
    const { status, stdout, stderr } = await update(...args)
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' }, args.join(' '))
    return stderr.split('\n')[0]!.replace('minictr: ', '')
  }

  it('no flags, and values that are none', async () => {
    assert.equal(await said('box'), 'you must provide one or more flags when using this command')
    assert.equal(await said('-m', '8m', 'nosuch'), 'No such container: nosuch')
    assert.equal(
      await said('--restart', 'on-failure:x', 'box'),
      'invalid restart policy format: maximum retry count must be an integer',
    )
    const wrong = await update('-m', 'foo', 'box')
    assert.equal(wrong.status, 125)
    assert.match(
      wrong.stderr,
      /^minictr: invalid argument "foo" for "-m, --memory" flag: invalid size: 'foo'\n/,
    )
    const refused = await update('--kernel-memory', '4m', 'box')
    assert.equal(refused.status, 125)
    assert.match(refused.stderr, /^minictr: --kernel-memory 4m: Linux has no such limit any more/)
  })

  it('limits that make no sense, and those that do not fit the ones there are', async () => {
    const id = await detached(debian, 'box', undefined, '-m', '64m', '--cpus', '0.5')
    assert.equal(await said('-m', '4m', 'box'), 'Minimum memory limit allowed is 6MB')
    const cannot = `Cannot update container ${id}: `
    if (hostFacts().swapLimit) {
      assert.equal(
        await said('-m', '500m', 'box'),
        `${cannot}Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time`,
      )
    }
    assert.equal(
      await said('--cpu-quota', '20000', 'box'),
      `${cannot}Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set`,
    )
    assert.equal(
      await said('--cpu-period', '20000', 'box'),
      `${cannot}Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set`,
    )
    assert.match(
      await said('--cpuset-cpus', '999', 'box'),
      /^Requested CPUs are not available - requested 999, available: /,
    )
    assert.equal((await update('--cpu-shares', '512', 'box')).status, 0)
  })

  it('a restart policy for one that goes with its end', async () => {
    const id = await detached(debian, 'box', undefined, '--rm')
    assert.equal(
      await said('--restart', 'always', 'box'),
      `Cannot update container ${id}: Restart policy cannot be updated because AutoRemove is enabled for the container`,
    )
    assert.equal((await update('--restart', 'no', 'box')).status, 0)
  })
})
