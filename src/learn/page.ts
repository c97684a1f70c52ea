// The page a learner reads: its width, wrapped paragraphs, and few colours, only where a terminal shows them.

import type { WriteStream } from 'node:tty'
import { visible } from '../system/visible.ts'

/** How text looks: the identity where there are no colours. */
export type Style = {
  /** Names of steps and headings. */
  strong(text: string): string
  /** What a reader may skip. */
  faint(text: string): string
  /** System calls. */
  call(text: string): string
  /** Shell commands. */
  command(text: string): string
}

export type Page = { columns: number; style: Style }

const WIDEST_COLUMNS = 110
const NARROWEST_COLUMNS = 50
const FILE_COLUMNS = 100

const plain: Style = { strong: same, faint: same, call: same, command: same }
const coloured: Style = {
  strong: text => `\x1b[1m${text}\x1b[22m`,
  faint: text => `\x1b[2m${text}\x1b[22m`,
  call: text => `\x1b[36m${text}\x1b[39m`,
  command: text => `\x1b[32m${text}\x1b[39m`,
}

function same(text: string): string {
  return text
}

type Output = Pick<WriteStream, 'isTTY' | 'columns'>

/**
 * The page for a stream: as wide as the terminal within reason, 100 columns in a file; colours only on a terminal
 * and where NO_COLOR is unset or empty (no-color.org). `beside` is a stream whose terminal a pager may show the page on.
 */
export function pageFor(stream: Output, env: NodeJS.ProcessEnv, beside: Output = stream): Page {
  const terminal = [stream, beside].find(({ isTTY }) => isTTY)
  const columns = terminal?.columns || FILE_COLUMNS
  return {
    columns: Math.min(Math.max(columns, NARROWEST_COLUMNS), WIDEST_COLUMNS),
    style: stream.isTTY && !env.NO_COLOR && env.TERM !== 'dumb' ? coloured : plain,
  }
}

/** A page without colours, as a file would get it. */
export const plainPage: Page = { columns: FILE_COLUMNS, style: plain }

/** The paragraph as lines of at most `columns` characters; a longer word has a line of its own. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of visible(text)
    .split(/\s+/)
    .filter(each => each !== '')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, line]
}

/** One line of at most `columns` characters, its end left out where it is longer. */
export function shorten(text: string, columns: number): string {
  const line = visible(text.replaceAll('\n', ' '))
  return line.length <= columns ? line : `${line.slice(0, Math.max(columns - 2, 1))} …`
}
