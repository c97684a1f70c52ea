// Numbers as Docker writes them on a command line: whole ones, sizes in bytes, parts of a CPU.

import { MinictrError } from '../../system/error.ts'

const units: { [letter: string]: number } = { '': 0, k: 1, m: 2, g: 3, t: 4, p: 5 }

/**
 * A size such as 64, 512m, 1.5g or 2GiB in bytes; units are powers of 1024, in any case. Throws MinictrError.
 * Source: github.com/docker/go-units, RAMInBytes.
 */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)*) ?([kmgtp])?(?:i?b)?$/i.exec(text)
  const size = match ? Number(match[1]) * 1024 ** units[(match[2] ?? '').toLowerCase()]! : Number.NaN
  if (Number.isNaN(size) || size > Number.MAX_SAFE_INTEGER) throw new MinictrError(`invalid size: '${text}'`)
  return Math.trunc(size)
}

/** A whole number between the limits, in decimal. Throws MinictrError. */
export function parseWhole(
  text: string,
  lowest: number = Number.MIN_SAFE_INTEGER,
  highest: number = Number.MAX_SAFE_INTEGER,
): number {
  if (!/^[+-]?\d+$/.test(text)) throw new MinictrError(`parsing "${text}": invalid syntax`)
  const value = Number(text)
  if (value < lowest || value > highest) throw new MinictrError(`parsing "${text}": value out of range`)
  return value
}

/**
 * A number of CPUs such as 1.5 in thousand-millionths of a CPU, exactly. Throws MinictrError for what is no decimal
 * number or finer than that.
 */
export function parseNanoCpus(text: string): number {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text)
  if (!match || (match[2] === '' && (match[3] ?? '') === '')) {
    throw new MinictrError(`failed to parse ${text} as a rational number`)
  }
  const fraction = (match[3] ?? '').replace(/0+$/, '')
  if (fraction.length > 9) throw new MinictrError('value is too precise')
  const nano = Number((match[2] || '0') + fraction.padEnd(9, '0'))
  return match[1] === '-' ? -nano : nano
}
