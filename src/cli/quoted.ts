// Texts in quotation marks, as Go's strconv.Quote writes them.

import { visible } from '../system/visible.ts'

/** On one line, whatever it holds: what cannot be printed is spelled out. */
export function quoted(text: string): string {
  const spelled = JSON.stringify(text).replaceAll(/\\u00([0-9a-f]{2})|\\./g, (whole, code?: string) => {
    if (code === undefined) return whole
    return code === '07' ? '\\a' : code === '0b' ? '\\v' : `\\x${code}`
  })
  return visible(spelled)
}

/** Cut to so many characters, the last one being an ellipsis then. */
export function ellipsis(text: string, length: number): string {
  const characters = [...text]
  return characters.length > length ? `${characters.slice(0, length - 1).join('')}…` : text
}
