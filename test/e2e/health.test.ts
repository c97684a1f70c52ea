// Health checks: probes of real containers, and what is told of them.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isFrozen } from '../../src/containers/frozen.ts'
import { type Health, readHealth } from '../../src/containers/health.ts'
import { HEALTH_COMMAND } from '../../src/containers/own-commands.ts'
import { freezerOf } from '../../src/runtime/freezer.ts'
import { hostFacts } from '../../src/system/host-facts.ts'
import { startMinictr } from '../fixtures/command-line.ts'
import { textOf } from '../fixtures/victims.ts'
import { assertNothingLeft, namesIn, useDebian } from './debian.ts'
import { containerOf, eventsOf, isThereNamed, until } from './states.ts'
import { pullVariant } from './variant.ts'

const debian = useDebian()
const HOUR = '1h'

/** Starts a container that sleeps, in the background; another image than Debian where one is given. */
async function runSleeping(name: string, flags: string[], image = debian.store().image): Promise<void> {
  const all = ['-d', '--quiet', '--name', name, '--network', 'none', ...flags, image, 'sleep', '1000']
  const { status, stderr } = await debian.minictr('run', ...all)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
}

async function remove(name: string): Promise<void> {
  assert.equal((await debian.minictr('rm', '-f', name)).status, 0)
  assert.ok(!isThereNamed(debian, name))
  await assertNothingLeft(debian.store())
}

const healthOf = (name: string): Health | undefined =>
  readHealth(debian.store(), containerOf(debian, name).id)

const becomes = (name: string, status: Health['status']) =>
  until(`${name} is ${status}`, () => healthOf(name)?.status === status)

async function inside(name: string, script: string): Promise<string> {
  const { status, stdout, stderr } = await debian.minictr('exec', name, 'sh', '-c', script)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  return stdout
}

/** How many probes were begun. */
async function countProbes(name: string): Promise<number> {
  return (await eventsOf(debian, name)).filter(event => event.startsWith('exec_create')).length
}

/** The first probe that was recorded. */
async function firstResult(name: string): Promise<Health['log'][number]> {
  await until('a probe is recorded', () => (healthOf(name)?.log.length ?? 0) > 0)
  return healthOf(name)!.log[0]!
}

describe('a container with a health check', () => {
  it('starts, is healthy, unhealthy and healthy again, and events tell', async () => {
    const command = 'echo looking; test -e /tmp/well'
    await runSleeping('web', ['--health-cmd', command, '--health-interval', '200ms', '--health-retries', '2'])
    assert.equal(healthOf('web')?.status, 'starting')
    await inside('web', 'touch /tmp/well')
    await becomes('web', 'healthy')
    assert.equal(healthOf('web')?.failingStreak, 0)
    await inside('web', 'rm /tmp/well')
    await becomes('web', 'unhealthy')
    await until('more than two have failed', () => healthOf('web')!.failingStreak > 2)
    await until('five are recorded', () => healthOf('web')!.log.length === 5)
    for (const { output, startedAtMs, endedAtMs } of healthOf('web')!.log) {
      assert.equal(output, 'looking\n')
      assert.ok(startedAtMs <= endedAtMs)
    }
    await inside('web', 'touch /tmp/well')
    await becomes('web', 'healthy')
    const events = await eventsOf(debian, 'web')
    const changes = events.filter(event => event.startsWith('health_status'))
    // A slow machine may see a failure before the first success.
    assert.deepEqual(changes.slice(-3), [
      'health_status: healthy',
      'health_status: unhealthy',
      'health_status: healthy',
    ])
    for (const action of ['exec_create', 'exec_start'])
      assert.ok(events.includes(`${action}: /bin/sh -c ${command}`), events.join('\n'))
    assert.ok(events.includes('exec_die 1'), 'a probe’s: the programs of this test succeed')
    await remove('web')
  })

  it('that has ended is unhealthy, its last probes are known, and a new start begins anew', async () => {
    await runSleeping('ended', ['--health-cmd', 'echo well', '--health-interval', '200ms'])
    await becomes('ended', 'healthy')
    assert.equal((await debian.minictr('stop', '-t', '0', 'ended')).status, 0)
    const last = healthOf('ended')!
    assert.equal(last.status, 'unhealthy')
    assert.equal(last.log.at(-1)!.output, 'well\n')
    const count = await countProbes('ended')
    await sleep(600)
    assert.equal(await countProbes('ended'), count)
    assert.equal((await debian.minictr('start', 'ended')).status, 0)
    assert.ok(['starting', 'healthy'].includes(healthOf('ended')!.status))
    await becomes('ended', 'healthy')
    await remove('ended')
  })

  it('is probed with its own variables, as its own user', async () => {
    const flags = ['-e', 'WHO=me', '-u', 'daemon', '-w', '/usr/share']
    await runSleeping('own', [
      ...flags,
      '--health-cmd',
      'echo $WHO $(id -un) $(pwd)',
      '--health-interval',
      '100ms',
    ])
    assert.equal((await firstResult('own')).output, 'me daemon /usr/share\n')
    await remove('own')
  })
})

describe('a probe', () => {
  it('that takes too long is killed, and has failed', async () => {
    const command = 'echo begun; echo $$ > /tmp/pid; exec sleep 500'
    const flags = ['--health-interval', '100ms', '--health-timeout', '300ms', '--health-retries', '1']
    await runSleeping('slow', ['--health-cmd', command, ...flags])
    const { exitStatus, output } = await firstResult('slow')
    assert.deepEqual(
      { exitStatus, output },
      { exitStatus: -1, output: 'Health check exceeded timeout (300ms): begun\n' },
    )
    assert.equal(healthOf('slow')!.status, 'unhealthy')
    await until('no more than one is there', async () => {
      const sleeping = await inside(
        'slow',
        'cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -o "sleep 500" | wc -l',
      )
      return Number(sleeping) <= 1
    })
    await remove('slow')
  })

  it('has the beginning of its output kept, of both streams', async () => {
    const command = 'head -c 3000 /dev/zero | tr "\\0" a; head -c 90000 /dev/zero | tr "\\0" b >&2'
    await runSleeping('loud', ['--health-cmd', command, '--health-interval', '100ms'])
    const { exitStatus, output } = await firstResult('loud')
    assert.equal(exitStatus, 0)
    assert.equal(output.length, 4096 + '...'.length)
    assert.ok(output.endsWith('b...') || output.endsWith('a...'))
    await remove('loud')
  })

  it('that cannot be started has failed, and says why', async () => {
    const Healthcheck = { Test: ['CMD', '/no/such/check'], Interval: 1e8, Retries: 1 }
    const image = await pullVariant(debian, { Healthcheck })
    await runSleeping('missing', [], image)
    const { exitStatus, output } = await firstResult('missing')
    assert.equal(exitStatus, -1)
    assert.match(output, /exec: "\/no\/such\/check": stat \/no\/such\/check: no such file or directory/)
    await becomes('missing', 'unhealthy')
    await remove('missing')
  })

  it('is not made while the container is paused', async () => {
    await runSleeping('paused', ['--health-cmd', 'true', '--health-interval', '100ms'])
    await becomes('paused', 'healthy')
    const { id } = containerOf(debian, 'paused')
    const { path, frozen, thawed } = freezerOf(`/minictr/${id}`, hostFacts())
    writeFileSync(path, frozen)
    await until('it is paused', () => isFrozen(`/minictr/${id}`, hostFacts()))
    // One may have begun before that; it ends afterwards.
    const made = await countProbes('paused')
    await sleep(1000)
    const later = await countProbes('paused')
    assert.ok(later <= made + 1, `${later - made} probes`)
    assert.equal(healthOf('paused')!.status, 'healthy')
    writeFileSync(path, thawed)
    const log = healthOf('paused')!.log
    await until(
      'it is probed again',
      () => healthOf('paused')!.log.at(-1)!.startedAtMs > log.at(-1)!.startedAtMs,
    )
    await remove('paused')
  })
})

describe('a probe that has not begun its program yet', () => {
  it('does not keep the container from ending, whatever it waits for itself', async () => {
    await runSleeping('dying', ['--health-cmd', 'true', '--health-interval', HOUR])
    const { id } = containerOf(debian, 'dying')
    const trace = join(debian.directory(), 'trace')
    // It is in the container's namespaces by then.
    const late = ['-f', '-o', trace, '-e', 'trace=setgroups', '-e', 'inject=setgroups:signal=SIGSTOP']
    const { globals } = debian.store()
    const probing = startMinictr([...globals, HEALTH_COMMAND, id], { within: ['strace', ...late] })
    await until('the probe is there', () => textOf(trace).includes('setgroups'))
    const waiting = probesOf(id)
    for (const pid of waiting) process.kill(pid, 'SIGSTOP')
    try {
      const { status, stderr } = await debian.minictr('stop', '-t', '0', 'dying')
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
    } finally {
      for (const pid of waiting) process.kill(pid, 'SIGCONT')
      await probing.outcome
    }
    await remove('dying')
  })
})

/** The commands that probe this container. */
function probesOf(id: string): number[] {
  const wanted = `\0${HEALTH_COMMAND}\0${id}\0`
  return namesIn('/proc')
    .map(Number)
    .filter(pid => pid > 0)
    .filter(pid => {
      const command = textOf(`/proc/${pid}/cmdline`)
      return command.endsWith(wanted) && !command.startsWith('strace')
    })
}

describe('the start period', () => {
  it('forgives failures, and has an interval of its own', async () => {
    const script = 'echo x >> /tmp/probes; [ $(wc -l < /tmp/probes) -ge 5 ]'
    const flags = [
      '--health-interval',
      HOUR,
      '--health-start-period',
      HOUR,
      '--health-start-interval',
      '100ms',
    ]
    await runSleeping('begins', ['--health-cmd', script, ...flags, '--health-retries', '1'])
    await becomes('begins', 'healthy')
    assert.deepEqual(
      (await eventsOf(debian, 'begins')).filter(event => event.startsWith('health_status')),
      ['health_status: healthy'],
    )
    assert.equal(healthOf('begins')!.failingStreak, 0)
    await sleep(600)
    assert.equal((await inside('begins', 'wc -l < /tmp/probes')).trim(), '5')
    await remove('begins')
  })
})

describe('the health check of an image', () => {
  it('is made, changed by flags, or left out', async () => {
    const Healthcheck = { Test: ['CMD-SHELL', 'echo of image $0'], Interval: 1e8 }
    const image = await pullVariant(debian, { Healthcheck, Shell: ['/bin/bash', '-c'] })
    await runSleeping('as-it-is', [], image)
    assert.equal((await firstResult('as-it-is')).output, 'of image /bin/bash\n')
    await remove('as-it-is')
    await runSleeping('changed', ['--health-cmd', 'echo of user'], image)
    assert.equal((await firstResult('changed')).output, 'of user\n')
    await remove('changed')
    await runSleeping('without', ['--no-healthcheck'], image)
    assert.equal(healthOf('without'), undefined)
    assert.deepEqual(containerOf(debian, 'without').record.health?.test, ['NONE'])
    await remove('without')
  })
})
