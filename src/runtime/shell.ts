// Words of a POSIX shell: quoting, so that any text survives the way into a script unchanged.

import { visible } from '../system/visible.ts'

const plain = /^[A-Za-z0-9_@%+=:,./-]+$/

/**
 * One shell word that expands to exactly this text (POSIX Shell, 2.2.2 Single-Quotes). Characters that steer a terminal
 * are left to printf(1) to make: the word may be shown.
 */
export function quote(text: string): string {
  if (plain.test(text)) return text
  return visible(text) === text ? singleQuoted(text) : printed(text)
}

function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** A command substitution, which drops the last line feeds: they stand behind it (2.6.3 Command Substitution). */
function printed(text: string): string {
  const body = text.replace(/\n+$/, '')
  const format = body.replaceAll(/[\\%]/g, '$&$&').replaceAll(/[^\n\t]/gu, character => {
    if (visible(character) === character) return character
    return [...new TextEncoder().encode(character)]
      .map(byte => `\\${byte.toString(8).padStart(3, '0')}`)
      .join('')
  })
  const end = text.slice(body.length)
  return `"$(printf ${singleQuoted(format)})"${end && singleQuoted(end)}`
}

/** A command line of these words. */
export function words(...texts: string[]): string {
  return texts.map(quote).join(' ')
}
