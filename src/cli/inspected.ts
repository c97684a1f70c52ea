// The output of the inspect commands: all that was found first, what was not found afterwards.

import { MinictrError } from '../system/error.ts'
import { visible, visibleJson, visibleOn } from '../system/visible.ts'
import { compileTemplate, toJson } from './template.ts'

/**
 * Prints what `inspect` gives for each name: as one JSON list, or by the format (`json`, or a template filled with each).
 * Throws the last of the MinictrErrors that `inspect` threw, when everything else has been printed.
 */
export function printInspected(names: string[], inspect: (name: string) => object, format?: string): void {
  const print = format === undefined || format === 'json' ? undefined : templateOf(format)
  const found: object[] = []
  const failures: MinictrError[] = []
  for (const name of names) {
    try {
      found.push(inspect(name))
    } catch (error) {
      if (!(error instanceof MinictrError)) throw error
      failures.push(error)
    }
  }
  if (print) for (const each of found) process.stdout.write(`${visibleOn(process.stdout, print(each))}\n`)
  else {
    process.stdout.write(`${visibleJson(toJson(found, format === 'json' ? undefined : 4))}\n`)
  }
  for (const failure of failures.slice(0, -1)) process.stderr.write(`minictr: ${visible(failure.message)}\n`)
  if (failures.length > 0) throw failures.at(-1)!
}

/** Docker's inspect alone has a status of its own for a template that is none. */
function templateOf(format: string) {
  try {
    return compileTemplate(format)
  } catch (error) {
    if (error instanceof MinictrError) error.exitStatus = 64
    throw error
  }
}
