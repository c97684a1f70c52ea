// Output in columns, and lists whose lines a template makes (`--format`).

import { compileTemplate } from './template.ts'

/** Columns three spaces apart, as Docker's tables. */
export function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(cells => cells[column]!.length)))
  const line = (cells: string[]) => cells.map((cell, column) => cell.padEnd(widths[column]! + 3)).join('')
  return rows.map(cells => `${line(cells).trimEnd()}\n`).join('')
}

/** A column of a list: its name in templates and its title in tables. */
export type Columns = Record<string, string>

/**
 * The lines of a list as `--format` wants them: `json`, `table TEMPLATE` (with titles, columns at tabs) or a template for
 * each row. Throws MinictrError for a template that is none.
 */
export function formatRows(rows: Record<string, string>[], format: string, titles: Columns): string {
  if (format === 'json') return rows.map(row => `${JSON.stringify(row, Object.keys(row).sort())}\n`).join('')
  const isTable = /^table\s/.test(format)
  const template = compileTemplate(
    (isTable ? format.slice(6) : format).replaceAll('\\t', '\t').replaceAll('\\n', '\n'),
  )
  const lines = rows.map(template)
  if (!isTable) return lines.map(line => `${line}\n`).join('')
  return table([template(titles), ...lines].map(line => line.split('\t')))
}
