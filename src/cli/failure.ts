// How the one error of a command is shown.

import { MinictrError } from '../system/error.ts'
import { visible } from '../system/visible.ts'

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
  const lines = [error instanceof Error ? error.message : String(error)]
  const remedy = remedyFor(error)
  if (remedy) lines.push(remedy)
  if (debug) lines.push('', ...trace(error))
  return `${name} ${visible(lines.join('\n'))}\n`
}

function remedyFor(error: unknown): string | undefined {
  if (error instanceof MinictrError) return error.remedy
  const remedy = remedyForCode((error as NodeJS.ErrnoException | undefined)?.code)
  if (remedy !== undefined) return remedy
  return "This is an error minictr has no words for; 'minictr --debug …' says where it happened."
}

/** What to do about an error of the kernel's that came from any of the files minictr keeps. */
function remedyForCode(code: string | undefined): string | undefined {
  if ((code === 'EACCES' || code === 'EPERM') && process.getuid?.() !== 0)
    return 'minictr does not run as root: use sudo.'
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return 'The disk is full: make room there, or name another place with --root.'
  if (code === 'EMFILE')
    return 'Too many files are open in one process: `ulimit -n` shows the limit, and raises it.'
  if (code === 'EROFS')
    return 'That file system is mounted read-only: --root and --run-root name other places.'
  if (code === 'ENOTDIR')
    return 'Some part of that path is a file and no directory: --root and --run-root name other places.'
  return undefined
}

function trace(error: unknown): string[] {
  const lines: string[] = []
  for (let each = error; each instanceof Error; each = each.cause) {
    lines.push(`${lines.length > 0 ? 'caused by ' : ''}${each.stack ?? each.message}`)
  }
  return lines
}
