// What `stats` reads out of the kernel's files, and what it makes of it.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { usageRow } from '../../../src/cli/stats.ts'
import {
  cpuPercent,
  parseIo,
  parseLegacyIo,
  parseMachine,
  parseNetwork,
  readUsage,
} from '../../../src/containers/usage.ts'
import type { CgroupHierarchy } from '../../../src/runtime/host.ts'
import { listed } from './listed.ts'

const MIB = 1024 ** 2

describe('the kernel’s counters', () => {
  it('of links leave loopback out', () => {
    const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     500       5    0    0    0     0          0         0      500       5    0    0    0     0       0          0
  eth0:    1000      10    0    0    0     0          0         0     2000      20    0    0    0     0       0          0
eth1:7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0
`
    assert.deepEqual(parseNetwork(text), { receivedBytes: 1007, sentBytes: 2008 })
    assert.deepEqual(parseNetwork(''), { receivedBytes: 0, sentBytes: 0 })
  })

  it('of disks are those of all devices, in both versions of cgroups', () => {
    const legacy = '8:0 Read 4096\n8:0 Write 100\n8:0 Sync 1\n8:0 Total 4196\n8:16 Read 4\nTotal 4200\n'
    assert.deepEqual(parseLegacyIo(legacy), { readBytes: 4100, writtenBytes: 100 })
    const unified =
      '8:0 rbytes=4096 wbytes=100 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=4 wbytes=0 rios=1\n'
    assert.deepEqual(parseIo(unified), { readBytes: 4100, writtenBytes: 100 })
  })

  it('of the machine count all time of all CPUs', () => {
    const stat = 'cpu  10 20 30 40 50 60 70 80 90 100\ncpu0 1 2\ncpu1 1 2\nintr 5\n'
    assert.deepEqual(parseMachine(stat, 'MemTotal:       1024 kB\nMemFree: 5 kB\n'), {
      cpuNs: 280 * 1e7,
      cpus: 2,
      memoryBytes: MIB,
    })
  })

  it('make per cents of one CPU', () => {
    const at = (own: number, all: number) => ({ usage: { cpuNs: own }, machine: { cpuNs: all, cpus: 4 } })
    assert.equal(cpuPercent(at(0, 0), at(5, 10)), 200)
    assert.equal(cpuPercent(at(5, 0), at(5, 10)), 0)
    assert.equal(cpuPercent(at(0, 10), at(5, 10)), 0)
  })
})

describe('the usage of a container', () => {
  const machine = { cpuNs: 0, cpus: 2, memoryBytes: 1024 * MIB }
  const { container } = listed({ state: 'running' }, { record: { networkMode: 'host' } })

  /** A made-up cgroup file system with these files in the container's cgroup. */
  function withCgroup<T>(
    hierarchies: Omit<CgroupHierarchy, 'mountPoint' | 'passedOn'>[],
    files: Record<string, string>,
    use: (host: { cgroups: CgroupHierarchy[] }) => T,
  ): T {
    const mountPoint = mkdtempSync(join(tmpdir(), 'minictr-usage-'))
    const cgroup = join(mountPoint, 'minictr', container.id)
    try {
      mkdirSync(cgroup, { recursive: true })
      for (const [name, text] of Object.entries(files)) writeFileSync(join(cgroup, name), text)
      return use({ cgroups: hierarchies.map(each => ({ ...each, mountPoint, passedOn: [] })) })
    } finally {
      rmSync(mountPoint, { recursive: true })
    }
  }

  const expected = {
    cpuNs: 5_000_000,
    memoryBytes: 3 * MIB,
    memoryLimitBytes: 64 * MIB,
    receivedBytes: 0,
    sentBytes: 0,
    readBytes: 4096,
    writtenBytes: 0,
    processes: 2,
  }

  it('comes from the files of cgroup v1', () => {
    const controllers = ['cpu', 'cpuacct', 'memory', 'blkio', 'pids']
    const files = {
      'cpuacct.usage': '5000000\n',
      'memory.usage_in_bytes': `${4 * MIB}\n`,
      'memory.limit_in_bytes': `${64 * MIB}\n`,
      'memory.stat': `inactive_file 5\ntotal_inactive_file ${MIB}\n`,
      'blkio.throttle.io_service_bytes': '8:0 Read 4096\nTotal 4096\n',
      'pids.current': '2\n',
    }
    const use = withCgroup([{ version: 1, controllers }], files, host => readUsage(container, machine, host))
    assert.deepEqual(use, expected)
  })

  it('comes from the files of cgroup v2', () => {
    const controllers = ['cpu', 'memory', 'io', 'pids']
    const files = {
      'cpu.stat': 'usage_usec 5000\nuser_usec 1\n',
      'memory.current': `${4 * MIB}\n`,
      'memory.max': `${64 * MIB}\n`,
      'memory.stat': `anon 5\ninactive_file ${MIB}\n`,
      'io.stat': '8:0 rbytes=4096 wbytes=0 rios=1 wios=0\n',
      'pids.current': '2\n',
    }
    const use = withCgroup([{ version: 2, controllers }], files, host => readUsage(container, machine, host))
    assert.deepEqual(use, expected)
    const unlimited = { ...files, 'memory.max': 'max\n' }
    const free = withCgroup([{ version: 2, controllers }], unlimited, host =>
      readUsage(container, machine, host),
    )
    assert.equal(free?.memoryLimitBytes, machine.memoryBytes)
  })

  it('is nothing where it does not run, and zero where nothing is counted', () => {
    assert.equal(readUsage(listed({ state: 'exited' }).container, machine, { cgroups: [] }), undefined)
    const nothing = readUsage(container, machine, { cgroups: [] })
    assert.deepEqual(nothing, {
      ...expected,
      cpuNs: 0,
      memoryBytes: 0,
      memoryLimitBytes: machine.memoryBytes,
      readBytes: 0,
      processes: 0,
    })
  })

  it('is shown in Docker’s units', () => {
    const usage = { ...expected, receivedBytes: 1500, sentBytes: 2_000_000, memoryBytes: 388 * 1024 }
    assert.deepEqual(usageRow(usage, { Name: 'web' }), {
      Name: 'web',
      MemUsage: '388KiB / 64MiB',
      MemPerc: '0.59%',
      NetIO: '1.5kB / 2MB',
      BlockIO: '4.1kB / 0B',
      PIDs: '2',
    })
  })
})
