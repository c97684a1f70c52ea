// When to try again, and when not to.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTransient, parseRetryAfter, retrying, TransientError } from '../../../src/images/retry.ts'

const soon = () => new TransientError('busy', { retryAfterMs: 1 })

test('what fails for good is not tried again', async () => {
  let attempts = 0
  const action = async () => {
    attempts++
    throw new Error('no')
  }
  await assert.rejects(retrying(action), /no/)
  assert.equal(attempts, 1)
})

test('what may pass is tried five times in a row', async () => {
  let attempts = 0
  const told: number[] = []
  const action = async () => {
    attempts++
    throw soon()
  }
  await assert.rejects(retrying(action, { onRetry: (_, delayMs) => told.push(delayMs) }), /busy/)
  assert.equal(attempts, 5)
  assert.deepEqual(told, [1, 1, 1, 1])
})

test('progress starts the counting over', async () => {
  let attempts = 0
  const action = async () => {
    attempts++
    if (attempts === 20) return 'done'
    throw soon()
  }
  assert.equal(await retrying(action, { progress: () => Math.floor(attempts / 2) }), 'done')
})

test('an hour is not waited for', async () => {
  let attempts = 0
  const action = async () => {
    attempts++
    throw new TransientError('later', { retryAfterMs: 3_600_000 })
  }
  await assert.rejects(retrying(action), /later/)
  assert.equal(attempts, 1)
})

test('a signal ends the waiting with its reason', async () => {
  const controller = new AbortController()
  const reason = new Error('stopped')
  const action = async () => {
    throw new TransientError('busy', { retryAfterMs: 60_000 })
  }
  const onRetry = () => controller.abort(reason)
  await assert.rejects(retrying(action, { signal: controller.signal, onRetry }), reason)
})

test('Retry-After is seconds or a date', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z')
  assert.equal(parseRetryAfter('120', nowMs), 120_000)
  assert.equal(parseRetryAfter(' 0 ', nowMs), 0)
  assert.equal(parseRetryAfter('Thu, 01 Jan 2026 00:01:00 GMT', nowMs), 60_000)
  assert.equal(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', nowMs), 0)
  assert.equal(parseRetryAfter('soon', nowMs), undefined)
  assert.equal(parseRetryAfter(undefined, nowMs), undefined)
})

test('a broken connection may pass, a missing host or a wrong certificate does not', () => {
  for (const code of [
    'ECONNRESET',
    'ETIMEDOUT',
    'EPIPE',
    'EAI_AGAIN',
    'ENETUNREACH',
    'HPE_INVALID_CONSTANT',
    undefined,
  ]) {
    assert.equal(isTransient(Object.assign(new Error('x'), { code })), true, code)
  }
  for (const code of [
    'ECONNREFUSED',
    'ENOTFOUND',
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'EPROTO',
  ]) {
    assert.equal(isTransient(Object.assign(new Error('x'), { code })), false, code)
  }
})
