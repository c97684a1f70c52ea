// Quoted words: a real shell makes of them exactly the text they were made from, and a terminal nothing.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { quote } from '../../../src/runtime/shell.ts'
import { visible } from '../../../src/system/visible.ts'

const texts = [
  '',
  'plain/word',
  'it\'s $HOME `id` \\ "x" *',
  'two\nlines\n\n',
  "\x1b[31mred\x1b[0m 100% %s \\033 it's\n\n",
  '\u009b \u202e é 東京 \x7f\r',
  '\x1b',
]

describe('a quoted word', () => {
  for (const shell of ['dash', 'bash']) {
    it(`is the text again in ${shell}`, () => {
      for (const text of texts)
        assert.equal(execFileSync(shell, ['-c', `printf %s ${quote(text)}`], { encoding: 'utf8' }), text)
    })
  }

  it('can be shown', () => {
    for (const text of texts) assert.equal(visible(quote(text)), quote(text))
  })
})
