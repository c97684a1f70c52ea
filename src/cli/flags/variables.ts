// NAME=value texts, for environment and labels: inherited from this host, or read from files, by Docker's rules.

import { readFileSync } from 'node:fs'
import { MinictrError } from '../../system/error.ts'

/**
 * A variable as typed: `NAME=value`, or `NAME` with its value on this host; `NAME` alone stays where the host has none.
 * Throws MinictrError for a text without a name.
 */
export function inheritVariable(text: string, host: NodeJS.ProcessEnv): string {
  const equals = text.indexOf('=')
  if (text === '' || equals === 0) throw new MinictrError(`invalid environment variable: ${text}`)
  if (equals > 0 || host[text] === undefined) return text
  return `${text}=${host[text]}`
}

/**
 * The variables of a file, one a line: blanks before a line are skipped, as are empty lines and those that begin with
 * #; a value is taken as it is; a name alone is inherited from `host`, where one is given. Throws MinictrError naming
 * file and line. Source: github.com/docker/cli, opts/file.go.
 */
export function readVariables(file: string, host?: NodeJS.ProcessEnv): string[] {
  const variables: string[] = []
  for (const [index, raw] of readText(file)
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = raw.replace(/\r$/, '').trimStart()
    if (line === '' || line.startsWith('#')) continue
    const equals = line.indexOf('=')
    const name = equals < 0 ? line.trimEnd() : line.slice(0, equals)
    const where = `${file}, line ${index + 1}: poorly formatted environment:`
    if (name === '') throw new MinictrError(`${where} no variable name on line '${line}'`)
    if (/[ \t]/.test(name)) throw new MinictrError(`${where} variable '${name}' contains whitespaces`)
    const inherited = equals < 0 ? host?.[name] : undefined
    variables.push(equals >= 0 ? line : inherited === undefined ? name : `${name}=${inherited}`)
  }
  return variables
}

/** Checks a label as typed, `name` or `name=value`, and returns it. Throws MinictrError. */
export function checkLabel(text: string): string {
  const name = text.split('=', 1)[0]!.replace(/^[ \t]+/, '')
  if (name === '') throw new MinictrError(`invalid label '${text}': empty name`)
  if (/[ \t]/.test(name)) throw new MinictrError(`label '${name}' contains whitespaces`)
  return text
}

/** `NAME=value` texts as a record; the last of a name counts, and a name alone has an empty value. */
export function toRecord(texts: string[]): Record<string, string> {
  return Object.fromEntries(texts.map(splitVariable))
}

/** The name and the value of `NAME=value`; the value is empty without an equals sign. */
export function splitVariable(text: string): [name: string, value: string] {
  const equals = text.indexOf('=')
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]
}

/** The text of a file a flag names. Throws MinictrError in Docker's words. */
export function readText(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new MinictrError(`open ${file}: no such file or directory`)
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw new MinictrError(`${file} is not UTF-8`)
    throw new MinictrError(`open ${file}: ${message}`)
  }
}
