// Moments of a command line, to the nanosecond, in every form Docker takes.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatDuration, formatMoment, normaliseMoment, parseMoment } from '../../../src/containers/moment.ts'

const NOW_MS = Date.UTC(2026, 10, 21, 9, 30)
const read = (text: string) => formatMoment(parseMoment(text, 'since', NOW_MS))

describe('a moment', () => {
  const cases: [text: string, moment: string][] = [
    ['2026-11-21T08:00:00Z', '2026-11-21T08:00:00.000000000Z'],
    ['2026-11-21T08:00:00.123456789Z', '2026-11-21T08:00:00.123456789Z'],
    ['2026-11-21T08:00:00.5+01:30', '2026-11-21T06:30:00.500000000Z'],
    ['2026-11-21T08:00Z', '2026-11-21T08:00:00.000000000Z'],
    ['2026-11-21Z', '2026-11-21T00:00:00.000000000Z'],
    ['0', '1970-01-01T00:00:00.000000000Z'],
    ['0s', '2026-11-21T09:30:00.000000000Z'],
    ['1136073845', '2006-01-01T00:04:05.000000000Z'],
    ['1136073845.000000001', '2006-01-01T00:04:05.000000001Z'],
    ['-1.5', '1969-12-31T23:59:59.500000000Z'],
    ['10m', '2026-11-21T09:20:00.000000000Z'],
    ['1h30m', '2026-11-21T08:00:00.000000000Z'],
    ['1.5h', '2026-11-21T08:00:00.000000000Z'],
    ['100ms', '2026-11-21T09:29:59.900000000Z'],
    ['-10m', '2026-11-21T09:40:00.000000000Z'],
  ]
  for (const [text, moment] of cases) it(`is ${text}`, () => assert.equal(read(text), moment))

  it('without a zone is one of this host', () => {
    const local = new Date(2026, 10, 21, 8, 0, 5).toISOString()
    assert.equal(read('2026-11-21T08:00:05'), local.replace('.000Z', '.000000000Z'))
    assert.equal(read('2026-11-21'), new Date(2026, 10, 21).toISOString().replace('.000Z', '.000000000Z'))
  })

  it('is refused where it is none', () => {
    for (const text of ['', 'yesterday', '10 m', '2026-13-01', '2026-11-21T25:00:00Z', '10x', '1.2.3'])
      assert.throws(() => read(text), /invalid value for "since"/, text)
    assert.equal(normaliseMoment('21.11.2026'), undefined)
  })
})

describe('a duration', () => {
  const cases: [ms: number, text: string][] = [
    [1, '1ms'],
    [1.5, '1.5ms'],
    [200, '200ms'],
    [1000, '1s'],
    [1500, '1.5s'],
    [30_000, '30s'],
    [60_000, '1m0s'],
    [3_600_000, '1h0m0s'],
    [5_430_500, '1h30m30.5s'],
  ]
  for (const [ms, text] of cases)
    it(`is written as Go does: ${text}`, () => assert.equal(formatDuration(ms), text))
})
