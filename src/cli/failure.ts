// How the one error of a command is shown.

import { MinictrError } from '../system/error.ts'

/**
 * The text for an error: `minictr: message`, what to do now on the next line, and only with `debug` where in the
 * program it happened and what caused it. Colours need a terminal and no NO_COLOR (no-color.org).
 */
export function explain(
  error: unknown,
  debug: boolean,
  colours: boolean = process.stderr.isTTY === true && !process.env.NO_COLOR,
): string {
  const name = colours ? '\x1b[1;31mminictr:\x1b[0m' : 'minictr:'
  const lines = [`${name} ${error instanceof Error ? error.message : String(error)}`]
  const remedy = remedyFor(error)
  if (remedy) lines.push(remedy)
  if (debug) lines.push('', ...trace(error))
  return `${lines.join('\n')}\n`
}

function remedyFor(error: unknown): string | undefined {
  if (error instanceof MinictrError) return error.remedy
  return "This is an error minictr has no words for; 'minictr --debug …' says where it happened."
}

function trace(error: unknown): string[] {
  const lines: string[] = []
  for (let each = error; each instanceof Error; each = each.cause) {
    lines.push(`${lines.length > 0 ? 'caused by ' : ''}${each.stack ?? each.message}`)
  }
  return lines
}
