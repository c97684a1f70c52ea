// Docker's json-file lines: what they say byte for byte, wherever they are cut, and what a damaged one does: nothing.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { INPUT_BYTES, LineDecoder, type LineOptions } from '../../../src/containers/log-lines.ts'
import { parseMoment } from '../../../src/containers/moment.ts'

const TIME = '2026-11-21T09:30:00.123456789Z'

function line(log: string, stream = 'stdout', time = TIME): string {
  return `${JSON.stringify({ log, stream, time })}\n`
}

/** What the lines say, the streams marked where they change; the log arrives in pieces of so many bytes. */
function said(log: string | Buffer, options: Partial<LineOptions> = {}, pieceBytes = 1 << 16): string {
  const decoder = new LineDecoder({ timestamps: false, details: false, ...options })
  const bytes = Buffer.from(log)
  let text = ''
  let last = ''
  for (let at = 0; at < bytes.length; ) {
    const space = decoder.space()
    const count = bytes.copy(space, 0, at, Math.min(bytes.length, at + Math.min(pieceBytes, space.length)))
    at += count
    for (const segment of decoder.decode(count)) {
      if (segment.stream !== last) text += `<${segment.stream}>`
      last = segment.stream
      text += segment.bytes.toString()
    }
  }
  return text
}

describe('a log', () => {
  it('says what was printed, on the stream on which it was', () => {
    const log = line('one\n') + line('two\n', 'stderr') + line('three\n', 'stderr') + line('four')
    assert.equal(said(log), '<stdout>one\n<stderr>two\nthree\n<stdout>four')
  })

  it('is the same however it is cut', () => {
    const texts = ['plain\n', '', 'quote " and \\ slash\t\r\n', 'ü € 😀\n', '\u0000\u001b[1m\u2028', '\b\f/']
    const log = texts.map(text => line(text)).join('')
    for (let pieceBytes = 1; pieceBytes < 90; pieceBytes++)
      assert.equal(said(log, {}, pieceBytes), `<stdout>${texts.join('')}`)
  })

  it('finds what needs an escape at each place of a word, and up to the last byte that is read at once', () => {
    const special = ['"', '\\', '\n', '\u0001', 'ü', '€', '\u00a2\u00dc', '\u0022\u005c']
    const texts = special.flatMap(character =>
      Array.from({ length: 17 }, (_, place) => `${'a'.repeat(place)}${character}${'b'.repeat(16 - place)}`),
    )
    const some = texts.map(text => line(text)).join('')
    for (let fill = 0; fill < 300; fill += 11) {
      const long = 'x'.repeat(INPUT_BYTES - some.length - 200 + fill)
      assert.equal(said(line(long) + some, {}, INPUT_BYTES), `<stdout>${long}${texts.join('')}`)
    }
  })

  it('understands every escape of JSON, as text of any hand has them', () => {
    const log =
      '{"log":"\\u003c\\u003E \\u00fc \\u20ac \\ud83d\\ude00 \\/ \\u2028\\n","stream":"stdout","time":"2026-11-21T09:30:00Z"}\n'
    assert.equal(said(log), '<stdout><> ü € 😀 / \u2028\n')
    const spaced = `{ "stream": "stderr", "time": "2026-11-21T10:30:00+01:00", "log": "other order\\n" }\n`
    assert.equal(said(spaced), '<stderr>other order\n')
    const withAttributes =
      '{"log":"a\\n","stream":"stdout","attrs":{"b":"c"},"time":"2026-11-21T09:30:00Z"}\n'
    assert.equal(said(withAttributes), '<stdout>a\n')
  })

  it('reads a line that is cut short at the very end of what is read at once', () => {
    const whole = line('end\n').trimEnd()
    for (let length = 1; length <= whole.length; length++) {
      const cut = `${whole.slice(0, length)}\n`
      const long = 'x'.repeat(INPUT_BYTES - line('').length - cut.length)
      const text = line(long) + cut
      assert.equal(text.length, INPUT_BYTES)
      assert.equal(said(text, {}, INPUT_BYTES), `<stdout>${long}${length === whole.length ? 'end\n' : ''}`)
    }
  })

  it('takes lines longer than what is read at once', () => {
    const long = 'x'.repeat(3 << 20)
    assert.equal(said(line(long) + line('end\n')), `<stdout>${long}end\n`)
  })

  it('goes on behind a line that is torn or damaged', () => {
    const damaged = [
      '',
      'no JSON at all',
      '{"log":"torn',
      '{"log":"bad \\x escape","stream":"stdout","time":"2026-11-21T09:30:00Z"}',
      '{"log":"bad \\u12g4","stream":"stdout","time":"2026-11-21T09:30:00Z"}',
      '{"log":5,"stream":"stdout","time":"2026-11-21T09:30:00Z"}',
      '{"log":"no time","stream":"stdout"}',
      'null',
      '{"log":"a raw\ttab","stream":"stdout","time":"2026-11-21T09:30:00Z"}',
      '{"log":"cut","stream":"stdout","time":"2026',
      '{"log":"cut","stream":"stdo',
      '{"log":"cut"',
      '{"log":"cut\\\\',
      '{"log":"cut\\u00',
      '\0\0\0\0',
    ]
    for (const each of damaged)
      assert.equal(said(`${line('a\n')}${each}\n${line('b\n')}`), '<stdout>a\nb\n', each)
    assert.equal(said(`${line('a\n')}{"log":"not yet fini`), '<stdout>a\n')
  })

  it('finds the line that a later run wrote behind a torn one', () => {
    assert.equal(said(`{"log":"to${line('whole\n')}`), '<stdout>whole\n')
    assert.equal(said(`{"log":"x","stream":"std${line('whole\n')}`), '<stdout>whole\n')
  })
})

describe('the times of a log', () => {
  it('stand before each line with all nine digits', () => {
    const log =
      line('a\n') +
      line('b\n', 'stdout', '2026-11-21T09:30:01.5Z') +
      line('c\n', 'stdout', '2026-11-21T09:30:02Z')
    const shown = `<stdout>${TIME} a\n2026-11-21T09:30:01.500000000Z b\n2026-11-21T09:30:02.000000000Z c\n`
    assert.equal(said(log, { timestamps: true }), shown)
    const elsewhere = line('d\n', 'stdout', '2026-11-21T10:30:03.25+01:00')
    assert.equal(
      said(elsewhere, { timestamps: true, details: true }),
      '<stdout>2026-11-21T09:30:03.250000000Z  d\n',
    )
    assert.equal(said(line('e\n'), { details: true }), '<stdout> e\n')
  })

  it('choose the lines', () => {
    const at = (second: number) => `2026-11-21T09:30:0${second}.5Z`
    const log = [1, 2, 3, 4].map(second => line(`${second}`, 'stdout', at(second))).join('')
    const ns = (text: string) => parseMoment(text, 'since', 0)
    assert.equal(said(log, { sinceNs: ns(at(2)) }), '<stdout>234')
    assert.equal(said(log, { sinceNs: ns('2026-11-21T09:30:02.500000001Z') }), '<stdout>34')
    assert.equal(said(log, { untilNs: ns(at(2)) }), '<stdout>12')
    assert.equal(said(log, { sinceNs: ns(at(2)), untilNs: ns(at(3)) }), '<stdout>23')
    assert.equal(said(log, { sinceNs: ns('99999999999999') }), '')
  })
})
