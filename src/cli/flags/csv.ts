// One line of comma-separated fields, where quotes protect commas (RFC 4180).

import { MinictrError } from '../../system/error.ts'

/**
 * The fields of one line: `a,"b,c",d` has three, and `""` within quotes is one quote. Throws MinictrError for a quote
 * that is out of place. Source: RFC 4180, as Go's encoding/csv reads it.
 */
export function parseCsv(line: string): string[] {
  const fields: string[] = []
  let at = 0
  for (;;) {
    const rest = line.slice(at)
    const quoted = /^"((?:[^"]|"")*)"(?=,|$)/.exec(rest)
    const plain = /^[^",]*(?=,|$)/.exec(rest)
    if (quoted === null && plain === null) {
      throw new MinictrError(`parse error on line 1, column ${at + 1}: extraneous or missing " in field`)
    }
    fields.push(quoted ? quoted[1]!.replaceAll('""', '"') : plain![0])
    at += (quoted ?? plain)![0].length + 1
    if (at > line.length) return fields
  }
}
