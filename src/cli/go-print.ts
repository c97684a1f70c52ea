// Values as Go's fmt prints them: `print` as %v, `printf` with its verbs.

import type { Value } from './template.ts'

/** A value as %v has it. */
export function print(value: Value): string {
  if (value === null) return '<nil>'
  if (value === undefined) return '<no value>'
  if (Array.isArray(value)) return `[${value.map(print).join(' ')}]`
  if (value instanceof Map)
    return `map[${sortedEntries(value)
      .map(([key, each]) => `${key}:${print(each)}`)
      .join(' ')}]`
  if (typeof value === 'object') return `{${Object.values(value).map(print).join(' ')}}`
  return String(value)
}

/** The entries of a map in the order in which Go prints and ranges over them. */
export function sortedEntries(map: Map<unknown, Value>): [Value, Value][] {
  return [...map.entries()].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
}

const VERB = /%([-+0 #]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g

/**
 * Go's fmt.Sprintf: %s %v %q %d %x %X %o %b %c %t %f %e %g, with flags, width and precision. A verb without a value, or with one it
 * cannot print, says so as Go does.
 */
export function printf(template: Value, ...args: Value[]): string {
  let next = 0
  return String(template).replaceAll(
    VERB,
    (_, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%'
      if (next >= args.length) return `%!${verb}(MISSING)`
      const text = formatted(args[next++], verb, precision === undefined ? undefined : Number(precision))
      return padded(flags.includes('+') && /^\d/.test(text) ? `+${text}` : text, flags, Number(width ?? 0))
    },
  )
}

function formatted(value: Value, verb: string, precision: number | undefined): string {
  const number = typeof value === 'number' || typeof value === 'bigint' ? value : undefined
  switch (verb) {
    case 'v':
    case 't':
      return print(value)
    case 's':
      return print(value).slice(0, precision)
    case 'q':
      return JSON.stringify(print(value))
  }
  if (number === undefined) {
    if (verb !== 'x' && verb !== 'X') return `%!${verb}(${print(value)})`
    const digits = Buffer.from(print(value)).toString('hex')
    return verb === 'x' ? digits : digits.toUpperCase()
  }
  switch (verb) {
    case 'd':
      return String(number)
    case 'x':
      return number.toString(16)
    case 'X':
      return number.toString(16).toUpperCase()
    case 'o':
      return number.toString(8)
    case 'b':
      return number.toString(2)
    case 'c':
      return String.fromCodePoint(Number(number))
    case 'f':
      return Number(number).toFixed(precision ?? 6)
    case 'e':
      return Number(number).toExponential(precision ?? 6)
    case 'g':
      return String(precision === undefined ? number : Number(Number(number).toPrecision(precision)))
    default:
      return `%!${verb}(${print(value)})`
  }
}

function padded(text: string, flags: string, width: number): string {
  if (flags.includes('-')) return text.padEnd(width)
  if (!flags.includes('0')) return text.padStart(width)
  const sign = /^[-+]/.exec(text)?.[0] ?? ''
  return sign + text.slice(sign.length).padStart(width - sign.length, '0')
}
