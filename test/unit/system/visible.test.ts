// Text that others wrote, shown: nothing of it steers a terminal, and what is harmless stays as it is.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { visible, visibleJson, visibleOn } from '../../../src/system/visible.ts'

describe('visible', () => {
  it('spells out control characters, old, new and of directions', () => {
    const shown: [string, string][] = [
      ['\x1b[2J\x1b]0;title\x07', '\\x1b[2J\\x1b]0;title\\x07'],
      ['10%\r20%\b\x7f', '10%\\r20%\\x08\\x7f'],
      ['\u009b31m', '\\x9b31m'],
      ['exe.\u202etxt\u2066 \u2028', 'exe.\\u202etxt\\u2066 \\u2028'],
    ]
    for (const [text, expected] of shown) assert.equal(visible(text), expected)
  })

  it('leaves words of any language, lines and tabs', () => {
    const text = 'naïve Ελλάς 東京 🐳 \\x1b\n\tשלום'
    assert.equal(visible(text), text)
  })

  it('is for terminals alone where programs may read', () => {
    assert.equal(visibleOn({ isTTY: true }, '\x1b'), '\\x1b')
    assert.equal(visibleOn({}, '\x1b'), '\x1b')
  })
})

describe('visibleJson', () => {
  it('says the same', () => {
    const value = { 'a\u009bb': ['\x1b', '\x7f', '\u202e', '\\x1b', '\n'] }
    const json = visibleJson(JSON.stringify(value, null, 2))
    assert.deepEqual(JSON.parse(json), value)
    assert.equal(visible(json), json)
  })
})
