// Turns: so many at a time, in the order of asking.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from '../../../src/images/turns.ts'

test('three at a time, in order, and a failure gives its place back', async () => {
  const turns = new Turns(3)
  let inside = 0
  let most = 0
  const order: number[] = []
  const tasks = Array.from({ length: 10 }, (_, index) =>
    turns.take(async () => {
      order.push(index)
      most = Math.max(most, ++inside)
      await new Promise(resolve => setImmediate(resolve))
      inside--
      if (index % 2 === 0) throw new Error(String(index))
      return index
    }),
  )
  const outcomes = await Promise.allSettled(tasks)
  assert.equal(most, 3)
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  assert.equal(outcomes.filter(({ status }) => status === 'rejected').length, 5)
})
