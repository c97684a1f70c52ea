// Range headers (RFC 9110, section 14.1.2), of a blob of 100 bytes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRange } from '../../../src/images/serve.ts'

const ranges: [string | undefined, ReturnType<typeof parseRange>][] = [
  [undefined, undefined],
  ['bytes=0-', { start: 0, end: 99 }],
  ['bytes=10-', { start: 10, end: 99 }],
  ['bytes=0-0', { start: 0, end: 0 }],
  ['bytes=10-19', { start: 10, end: 19 }],
  ['bytes=90-500', { start: 90, end: 99 }],
  ['bytes=-10', { start: 90, end: 99 }],
  ['bytes=-500', { start: 0, end: 99 }],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=20-10', undefined],
  ['bytes=-', undefined],
  ['bytes=0-1,5-6', undefined],
  ['lines=0-1', undefined],
  ['bytes=a-b', undefined],
]

for (const [header, expected] of ranges) {
  test(`${header} means ${JSON.stringify(expected) ?? 'everything'}`, () => {
    assert.deepEqual(parseRange(header, 100), expected)
  })
}
