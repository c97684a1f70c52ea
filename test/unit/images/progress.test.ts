// How progress looks: bars that fit the terminal, lines that fit a log.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { barProgress, formatBytes, lineProgress, type ProgressEvent } from '../../../src/images/progress.ts'

const ESC = '\u001b'
const MOVES = new RegExp(`(${ESC}\\[\\d+A|\\r${ESC}\\[2K|\n)`)

/** A terminal that remembers what it was told; `lines` is what a person sees after all of it. */
function screen(columns: number, rows = 24) {
  let text = ''
  return {
    columns,
    rows,
    write: (more: string) => {
      text += more
    },
    text: () => text,
    lines() {
      const seen: string[] = []
      let row = 0
      for (const part of text.split(MOVES)) {
        if (part.startsWith(ESC)) row -= Number(part.slice(2, -1))
        else if (part === '\n') row++
        else if (part === `\r${ESC}[2K`) seen[row] = ''
        else if (part !== '') seen[row] = (seen[row] ?? '') + part
      }
      return seen
    },
  }
}

const layer = (
  name: string,
  state: 'Downloading' | 'Waiting' | 'Pull complete',
  doneBytes?: number,
): ProgressEvent => ({
  kind: 'layer',
  layer: name,
  state,
  doneBytes,
  totalBytes: doneBytes === undefined ? undefined : 10_000_000,
})

test('a bar for each layer, redrawn in its own place', () => {
  const terminal = screen(100)
  let nowMs = 0
  const progress = barProgress(terminal, () => nowMs)
  progress.report({ kind: 'message', text: 'trixie: Pulling from library/debian' })
  for (let percent = 0; percent <= 100; percent += 10) {
    nowMs += 1000
    progress.report(layer('aaaaaaaaaaaa', 'Downloading', percent * 100_000))
    nowMs += 1000
    progress.report(layer('bbbbbbbbbbbb', 'Waiting'))
  }
  assert.deepEqual(terminal.lines(), [
    'trixie: Pulling from library/debian',
    `aaaaaaaaaaaa: Downloading  [${'='.repeat(49)}>]  10MB/10MB`,
    'bbbbbbbbbbbb: Waiting',
  ])
  progress.report(layer('aaaaaaaaaaaa', 'Pull complete'))
  progress.finish()
  assert.equal(terminal.lines()[1], 'aaaaaaaaaaaa: Pull complete')
})

test('no line is ever wider than the terminal', () => {
  for (const columns of [20, 40, 60, 79, 80, 81, 200]) {
    const terminal = screen(columns)
    let nowMs = 0
    const progress = barProgress(terminal, () => nowMs)
    for (const done of [0, 1, 999_999, 5_000_000, 10_000_000]) {
      nowMs += 1000
      progress.report(layer('aaaaaaaaaaaa', 'Downloading', done))
    }
    progress.finish()
    assert.match(terminal.lines()[0]!, columns < 40 ? /^a{12}: Downl/ : /10MB\/10MB$/)
    for (const line of stripVTControlCharacters(terminal.text()).split(/[\r\n]/)) {
      assert.ok(line.length < columns, `${line.length} of ${columns}: ${line}`)
    }
  }
})

test('more layers than rows do not push each other out of place', () => {
  const terminal = screen(80, 5)
  let nowMs = 0
  const progress = barProgress(terminal, () => nowMs)
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < 12; index++) {
      nowMs += 1000
      progress.report(layer(`layer-${index}`, 'Waiting'))
    }
  }
  progress.finish()
  assert.deepEqual(terminal.lines(), [
    'layer-8: Waiting',
    'layer-9: Waiting',
    'layer-10: Waiting',
    'layer-11: Waiting',
  ])
})

test('it is drawn a few times a second, not at every byte', () => {
  const terminal = screen(80)
  const progress = barProgress(terminal, () => 0)
  for (let done = 0; done < 1000; done++) progress.report(layer('aaaaaaaaaaaa', 'Downloading', done))
  progress.finish()
  assert.equal(terminal.text().match(/Downloading/g)?.length, 2, 'the first state and the last')
})

test('lines tell each state once, and no amounts', () => {
  const terminal = screen(80)
  const progress = lineProgress(terminal)
  progress.report({ kind: 'message', text: 'latest: Pulling from a' })
  progress.report({ kind: 'layer', layer: 'aaaaaaaaaaaa', state: 'Pulling fs layer' })
  for (let done = 0; done < 5; done++) progress.report(layer('aaaaaaaaaaaa', 'Downloading', done))
  progress.report({ kind: 'layer', layer: 'aaaaaaaaaaaa', state: 'Retrying', detail: 'in 1 s' })
  progress.report({ kind: 'layer', layer: 'aaaaaaaaaaaa', state: 'Retrying', detail: 'in 2 s' })
  progress.report(layer('aaaaaaaaaaaa', 'Pull complete'))
  progress.report(layer('aaaaaaaaaaaa', 'Pull complete'))
  progress.finish()
  assert.equal(
    terminal.text(),
    'latest: Pulling from a\naaaaaaaaaaaa: Pulling fs layer\naaaaaaaaaaaa: Retrying in 1 s\n' +
      'aaaaaaaaaaaa: Retrying in 2 s\naaaaaaaaaaaa: Pull complete\n',
  )
})

test('sizes are in decimal units', () => {
  const sizes = {
    0: '0B',
    999: '999B',
    1000: '1kB',
    1234: '1.234kB',
    46123456: '46.12MB',
    2e9: '2GB',
    5e15: '5000TB',
  }
  for (const [bytes, text] of Object.entries(sizes)) assert.equal(formatBytes(Number(bytes)), text)
})
