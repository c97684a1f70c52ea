// Restart policies: how they are written, when they start a container again, and after how long.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type Ending,
  parseRestartPolicy,
  restartDelayMs,
  startsAtBoot,
} from '../../../src/containers/restart-policy.ts'

/** A run that failed at once, and the changes to that. */
function ending(changes: Partial<Ending> = {}): Ending {
  return {
    exitStatus: 1,
    ranMs: 10,
    restartCount: 0,
    isStoppedByUser: false,
    isShutDown: false,
    hasGivenUp: false,
    ...changes,
  }
}

/** Whether it is started again. */
function restarts(policy: string, changes: Partial<Ending> = {}): boolean {
  return restartDelayMs(parseRestartPolicy(policy), ending(changes)) !== undefined
}

describe('a restart policy as text', () => {
  const read: [text: string, name: string, count: number][] = [
    ['', 'no', 0],
    ['no', 'no', 0],
    ['always', 'always', 0],
    ['always:', 'always', 0],
    ['always:0', 'always', 0],
    ['unless-stopped', 'unless-stopped', 0],
    ['on-failure', 'on-failure', 0],
    ['on-failure:0', 'on-failure', 0],
    ['on-failure:+3', 'on-failure', 3],
  ]
  for (const [text, name, maximumRetryCount] of read) {
    it(`is read: '${text}'`, () => {
      assert.deepEqual(parseRestartPolicy(text), { name, maximumRetryCount })
    })
  }

  const onlyOnFailure = "invalid restart policy: maximum retry count can only be used with 'on-failure'"
  const refused: [text: string, message: string][] = [
    [':3', 'invalid restart policy format: no policy provided before colon'],
    ['on-failure:x', 'invalid restart policy format: maximum retry count must be an integer'],
    ['on-failure:1:2', 'invalid restart policy format: maximum retry count must be an integer'],
    ['on-failure:1.5', 'invalid restart policy format: maximum retry count must be an integer'],
    ['on-failure:-1', 'invalid restart policy: maximum retry count cannot be negative'],
    ['always:3', onlyOnFailure],
    ['no:-3', `${onlyOnFailure} and cannot be negative`],
    [
      'Always',
      "invalid restart policy: unknown policy 'Always'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
  ]
  for (const [text, message] of refused) {
    it(`is refused in Docker's words: '${text}'`, () => {
      assert.throws(() => parseRestartPolicy(text), { name: 'MinictrError', message })
    })
  }
})

describe('a container that ended', () => {
  it('is started again by always and unless-stopped, however it ended', () => {
    for (const policy of ['always', 'unless-stopped']) {
      for (const exitStatus of [0, 1, 137, null]) assert.ok(restarts(policy, { exitStatus }), policy)
    }
    assert.equal(restarts('no'), false)
  })

  it('is started again by on-failure where it failed, or nobody saw how it ended', () => {
    assert.equal(restarts('on-failure', { exitStatus: 0 }), false)
    assert.equal(restarts('on-failure', { exitStatus: 137, restartCount: 1000 }), true)
    assert.equal(restarts('on-failure', { exitStatus: null }), true)
  })

  it('is started again by on-failure:3 three times', () => {
    const counts = [0, 1, 2, 3, 4].filter(restartCount => restarts('on-failure:3', { restartCount }))
    assert.deepEqual(counts, [0, 1, 2])
  })

  it('is left alone where somebody stopped it, the machine goes down, or its last start failed', () => {
    for (const policy of ['always', 'unless-stopped', 'on-failure']) {
      assert.equal(restarts(policy, { isStoppedByUser: true }), false)
      assert.equal(restarts(policy, { isShutDown: true }), false)
      assert.equal(restarts(policy, { hasGivenUp: true }), false)
    }
  })

  it('is waited for twice as long each time, up to a minute', () => {
    const policy = parseRestartPolicy('always')
    const delaysMs: (number | undefined)[] = []
    let lastMs: number | undefined
    for (let restartCount = 0; restartCount < 12; restartCount++) {
      lastMs = restartDelayMs(policy, ending({ restartCount, restartDelayMs: lastMs }))
      delaysMs.push(lastMs)
    }
    const doubled = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200]
    assert.deepEqual(delaysMs, [...doubled, 60_000, 60_000])
  })

  it('is waited for from the beginning where it ran for ten seconds', () => {
    const delayMs = (ranMs: number) =>
      restartDelayMs(parseRestartPolicy('always'), ending({ ranMs, restartDelayMs: 25_600 }))
    assert.equal(delayMs(9_999), 51_200)
    assert.equal(delayMs(10_000), 100)
  })
})

describe('when the machine has booted', () => {
  const starts = (policy: string, changes?: Partial<Ending>) =>
    startsAtBoot(parseRestartPolicy(policy), changes && ending(changes))

  it('always starts everything, also what never ran or was stopped', () => {
    assert.equal(starts('always'), true)
    assert.equal(starts('always', { isStoppedByUser: true, exitStatus: 0 }), true)
    assert.equal(starts('always', { hasGivenUp: true }), true)
  })

  it('unless-stopped leaves what somebody stopped', () => {
    assert.equal(starts('unless-stopped'), true)
    assert.equal(starts('unless-stopped', { exitStatus: 0, isShutDown: true }), true)
    assert.equal(starts('unless-stopped', { isStoppedByUser: true }), false)
  })

  it('on-failure starts what failed or whose end was not seen, while it may', () => {
    assert.equal(starts('on-failure'), false)
    assert.equal(starts('on-failure', { exitStatus: null }), true)
    assert.equal(starts('on-failure', { exitStatus: 143, isShutDown: true }), true)
    assert.equal(starts('on-failure', { exitStatus: 0 }), false)
    assert.equal(starts('on-failure:2', { exitStatus: null, restartCount: 2 }), false)
    assert.equal(starts('on-failure', { exitStatus: null, isStoppedByUser: true }), false)
  })

  it('no starts nothing', () => {
    assert.equal(starts('no'), false)
    assert.equal(starts('no', { exitStatus: null }), false)
  })
})
