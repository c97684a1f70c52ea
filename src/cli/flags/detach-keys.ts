// The keys that detach from a terminal, as `--detach-keys` spells them: `ctrl-p,ctrl-q`.

import { MinictrError } from '../../system/error.ts'

/** The longest sequence that the monitor looks for. */
const MOST_KEYS = 16

/**
 * The bytes of a sequence: single characters, `ctrl-` with a letter or one of @[\]^_, and DEL, with commas between them; no
 * text at all is Docker's ctrl-p,ctrl-q. Throws MinictrError in Docker's words. Source: github.com/moby/term, ascii.go.
 */
export function parseDetachKeys(text: string): Uint8Array {
  const keys = (text || 'ctrl-p,ctrl-q').split(',').map(codeOf)
  if (keys.includes(-1) || keys.length > MOST_KEYS) {
    throw new MinictrError(`Invalid escape keys (${text}) provided`, {
      remedy: 'Give keys with commas between them: a character, or ctrl- and a letter.',
      exitStatus: 1,
    })
  }
  return Uint8Array.from(keys)
}

function codeOf(key: string): number {
  if (key === 'DEL') return 127
  if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0)
  return /^ctrl-[a-z@[\\\]^_]$/.test(key) ? key.toUpperCase().charCodeAt(5) & 0x1f : -1
}
