// Health checks: what the image and the user say together, and what results make of a container's health.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Health, healthAfter, type ProbeResult } from '../../../src/containers/health.ts'
import { chooseHealthCheck, probeCommand, probeTiming } from '../../../src/containers/health-check.ts'
import type { HealthCheck as ImageHealthCheck } from '../../../src/images/image-config.ts'

const shell = ['/bin/sh', '-c']
const unsaid = { isDisabled: false }
const ofImage = (Healthcheck: ImageHealthCheck | null, Shell?: string[]) => {
  return { config: { Healthcheck, ...(Shell && { Shell }) } }
}

describe('the health check of a container', () => {
  const image = { Test: ['CMD', 'check', '-q'], Interval: 5e9, Timeout: 1.5e6, Retries: 7 }

  it('is none where nobody says anything', () => {
    assert.equal(chooseHealthCheck(unsaid, {}), undefined)
    assert.equal(chooseHealthCheck({ ...unsaid, command: '', intervalMs: 0 }, ofImage(null)), undefined)
  })

  it('is the image’s, in milliseconds', () => {
    assert.deepEqual(chooseHealthCheck(unsaid, ofImage(image)), {
      test: ['CMD', 'check', '-q'],
      shell,
      intervalMs: 5000,
      timeoutMs: 1.5,
      retries: 7,
    })
  })

  it('is the user’s over the image’s, each setting by itself', () => {
    const options = { ...unsaid, command: 'curl -f localhost', intervalMs: 0, retries: 2 }
    assert.deepEqual(chooseHealthCheck(options, ofImage(image, ['/bin/bash', '-ec'])), {
      test: ['CMD-SHELL', 'curl -f localhost'],
      shell: ['/bin/bash', '-ec'],
      intervalMs: 5000,
      timeoutMs: 1.5,
      retries: 2,
    })
  })

  it('is taken away, or has no command', () => {
    const none = chooseHealthCheck({ isDisabled: true }, ofImage(image))
    assert.deepEqual(none?.test, ['NONE'])
    assert.equal(probeCommand(none!), undefined)
    const settings = chooseHealthCheck({ ...unsaid, intervalMs: 1000 }, {})
    assert.deepEqual(settings, { test: [], shell, intervalMs: 1000 })
    assert.equal(probeCommand(settings!), undefined)
  })

  it('takes from an image no time that makes no sense', () => {
    const check = chooseHealthCheck(
      unsaid,
      ofImage({ Test: ['CMD', 'a'], Interval: -1, Timeout: 5, Retries: -2 }),
    )
    assert.deepEqual(probeTiming(check!), {
      intervalMs: 30_000,
      timeoutMs: 30_000,
      startPeriodMs: 0,
      startIntervalMs: 5000,
      retries: 3,
    })
  })

  const commands: [test: string[], command: string[] | undefined][] = [
    [
      ['CMD', 'a', 'b'],
      ['a', 'b'],
    ],
    [
      ['CMD-SHELL', 'a && b'],
      ['/bin/sh', '-c', 'a && b'],
    ],
    [['CMD'], undefined],
    [['NONE'], undefined],
    [['NONE', 'a'], undefined],
    [['a', 'b'], undefined],
    [[], undefined],
  ]
  for (const [test, command] of commands) {
    it(`${JSON.stringify(test)} runs ${JSON.stringify(command)}`, () => {
      assert.deepEqual(probeCommand({ test, shell }), command)
    })
  }
})

describe('health', () => {
  const started = 1000
  const timing = { retries: 3, startPeriodMs: 0 }
  const result = (exitStatus: number, startedAtMs = 2000): ProbeResult => {
    return { startedAtMs, endedAtMs: startedAtMs + 1, exitStatus, output: `${exitStatus}` }
  }
  /** What the results, one after the other, make of it. */
  function after(results: ProbeResult[], { retries, startPeriodMs } = timing): Health[] {
    let health: Health = { status: 'starting', failingStreak: 0, log: [] }
    return results.map(each => {
      health = healthAfter(health, each, { retries, startPeriodMs }, started)
      return health
    })
  }
  const short = (health: Health[]) => health.map(({ status, failingStreak }) => `${status} ${failingStreak}`)

  it('starts, is healthy with the first success, unhealthy after so many failures, and healthy again', () => {
    const seen = after([1, 0, 1, 1, 1, 1, 0].map(status => result(status)))
    assert.deepEqual(short(seen), [
      'starting 1',
      'healthy 0',
      'healthy 1',
      'healthy 2',
      'unhealthy 3',
      'unhealthy 4',
      'healthy 0',
    ])
  })

  it('is unhealthy also without a success before, by whatever is not 0', () => {
    assert.deepEqual(short(after([result(-1), result(137), result(1)])).at(-1), 'unhealthy 3')
    assert.deepEqual(short(after([result(1)], { retries: 1, startPeriodMs: 0 })), ['unhealthy 1'])
  })

  it('forgives failures of probes that were started in the start period, until there was a success', () => {
    const period = { retries: 2, startPeriodMs: 500 }
    const forgiven = after([result(1, 1100), result(1, 1499), result(1, 1500), result(1, 1600)], period)
    assert.deepEqual(short(forgiven), ['starting 0', 'starting 0', 'starting 1', 'unhealthy 2'])
    const wasWell = after([result(0, 1100), result(1, 1200), result(1, 1300)], period)
    assert.deepEqual(short(wasWell), ['healthy 0', 'healthy 1', 'unhealthy 2'])
  })

  it('remembers the last five results', () => {
    const [last] = after([1, 2, 3, 4, 5, 6, 7].map(status => result(status))).slice(-1)
    assert.deepEqual(
      last!.log.map(({ exitStatus }) => exitStatus),
      [3, 4, 5, 6, 7],
    )
  })
})
