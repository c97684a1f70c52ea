// The page: paragraphs fit, nothing is lost, and colours appear only where they are wanted.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pageFor, shorten, wrap } from '../../../src/learn/page.ts'

const text = 'A cgroup is a directory in which the kernel counts and limits what a group of processes uses.'

describe('a paragraph', () => {
  it('fits the width and keeps every word in order', () => {
    for (const columns of [10, 17, 40, 200]) {
      const lines = wrap(text, columns)
      assert.ok(
        lines.every(line => line.length <= columns),
        `${columns}: ${lines.join('|')}`,
      )
      assert.equal(lines.join(' '), text)
    }
  })

  it('gives a word that is too long a line of its own', () => {
    assert.deepEqual(wrap('a /very/long/path b', 6), ['a', '/very/long/path', 'b'])
  })

  it('has no lines where there is no text', () => {
    assert.deepEqual(wrap('  ', 20), [])
  })
})

describe('a shortened line', () => {
  it('is whole where it fits', () => assert.equal(shorten('mount(2)', 8), 'mount(2)'))
  it('shows that its end is left out', () => assert.equal(shorten('abcdefghij', 6), 'abcd …'))
  it('is one line', () => assert.equal(shorten('a\nb', 10), 'a b'))
})

describe('the page of a stream', () => {
  const bold = (page: { style: { strong(text: string): string } }) => page.style.strong('x')

  it('is as wide as the terminal, within reason', () => {
    const columns = (width: number) => pageFor({ isTTY: true, columns: width }, {}).columns
    assert.deepEqual([columns(80), columns(20), columns(300)], [80, 50, 110])
  })

  it('is 100 columns and without colours in a file', () => {
    const page = pageFor({ isTTY: false, columns: 0 }, {})
    assert.equal(page.columns, 100)
    assert.equal(bold(page), 'x')
  })

  it('has colours on a terminal, unless NO_COLOR is set or the terminal is dumb', () => {
    const terminal = { isTTY: true, columns: 80 }
    assert.notEqual(bold(pageFor(terminal, {})), 'x')
    assert.notEqual(bold(pageFor(terminal, { NO_COLOR: '' })), 'x')
    assert.equal(bold(pageFor(terminal, { NO_COLOR: '1' })), 'x')
    assert.equal(bold(pageFor(terminal, { TERM: 'dumb' })), 'x')
  })
})
