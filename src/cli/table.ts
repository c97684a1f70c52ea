// Output in columns, and lists whose lines a template makes (`--format`).

import { compileTemplate, titleFunctions, toJson } from './template.ts'

const LEAST_WIDTH = 10

/** Columns three spaces apart and no narrower than ten, as Docker's tables; `leastWidth` for one that is wider. */
export function table(rows: string[][], leastWidth = LEAST_WIDTH): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((widest, cells) => Math.max(widest, cells[column]!.length + 3), leastWidth),
  )
  const line = (cells: string[]) => cells.map((cell, column) => cell.padEnd(widths[column]!)).join('')
  return rows.map(cells => `${line(cells).trimEnd()}\n`).join('')
}

/** A line of a list, by the names of its columns; a function is a column that takes an argument. */
export type Row = Record<string, string | ((argument: string) => string)>

/** The columns of a list: each one's name in templates and its title in tables. */
export type Columns = Row

/**
 * The lines of a list as `--format` wants them: `json`, `table TEMPLATE` (with titles, columns at tabs) or a template for
 * each row. Throws MinictrError for a template that is none.
 */
export function formatRows(rows: Iterable<Row>, format: string, titles: Columns): string {
  if (format === 'json') return Array.from(rows, row => `${JSON.stringify(sorted(row))}\n`).join('')
  const isTable = format.startsWith('table')
  const template = (isTable ? format.slice('table'.length) : format)
    .replaceAll(/^ +| +$/g, '')
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n')
  const json = (value: unknown) => toJson(typeof value === 'object' ? sorted(value as Row) : value)
  const fill = compileTemplate(template, { json })
  const lines = Array.from(rows, row => fill(row))
  if (!isTable) return lines.map(line => `${line}\n`).join('')
  const title = compileTemplate(template, titleFunctions)(titles)
  return table([title, ...lines].map(line => line.split('\t')))
}

/** As JSON has a line: by the names of its fields. */
function sorted(row: Row): Row {
  const names = Object.keys(row).sort()
  return Object.fromEntries(names.map(name => [name, row[name]!]))
}

/** The title of a column that a label makes: the last part of its name, in words. Source: docker/cli, formatter/custom.go. */
export function labelTitle(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).replaceAll(/[-_]/g, ' ')
}
