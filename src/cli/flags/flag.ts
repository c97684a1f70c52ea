// A flag as data, and the reader of command lines that are written in Docker's way.

import { MinictrError } from '../../system/error.ts'
import { nearest } from '../nearest.ts'
import { usageError, WRONG_FLAG_STATUS } from '../usage-error.ts'

type Named = {
  name: string
  /** One letter. */
  short?: string
  /** What help says of it. */
  about: string
  /** An older spelling that help leaves out. */
  isHidden?: boolean
}

/** A flag that is on or off. */
export type Switch<Options> = Named & { turn(options: Options, on: boolean): void }

/** A flag with a value; `takes` names the value's kind in help. `set` throws MinictrError for a wrong one. */
export type Valued<Options> = Named & { takes: string; set(options: Options, value: string): void }

/** A flag of Docker's that minictr has not: `refuses` says why, and what to use, in a sentence. */
export type Refused = Named & { takes?: string; refuses: string }

export type Flag<Options> = Switch<Options> | Valued<Options> | Refused

/** Flags under one heading of the help. */
export type FlagGroup<Options> = { title: string; flags: Flag<Options>[] }

export type Reading = {
  /** Whether `--help` came first: nothing else counts then. */
  asksForHelp: boolean
  /** What follows the flags, from the first word that is none. */
  words: string[]
}

/**
 * Reads flags into `options` up to the first word that is none, as Docker's command line does: `--name value`,
 * `--name=value`, `-n value`, `-nvalue`, `-it`, switches with `=true` or `=false`, `--` as the end. Throws MinictrError
 * in Docker's words, with the status `exitStatus`. Source: github.com/spf13/pflag, flag.go.
 */
export function readFlags<Options>(
  groups: FlagGroup<Options>[],
  args: string[],
  options: Options,
  program: string,
  exitStatus = WRONG_FLAG_STATUS,
): Reading {
  const wrong = (message: string, cause?: unknown) => usageError(message, program, exitStatus, cause)
  const apply = (flag: Flag<Options>, value: string) => applyFlag(flag, value, options, program, exitStatus)
  let at = 0
  for (; at < args.length; at++) {
    const word = args[at]!
    if (word === '--') return { asksForHelp: false, words: args.slice(at + 1) }
    if (word.length < 2 || !word.startsWith('-')) break
    if (word === '--help') return { asksForHelp: true, words: [] }
    if (word.startsWith('--')) {
      const equals = word.indexOf('=')
      const name = word.slice(2, equals < 0 ? undefined : equals)
      const flag = find(groups, each => each.name === name)
      if (flag === undefined || name === '') throw wrong(unknownFlag(name, groups))
      if (equals >= 0) apply(flag, word.slice(equals + 1))
      else if (isSwitch(flag)) apply(flag, 'true')
      else {
        if (at + 1 >= args.length) throw wrong(`flag needs an argument: --${name}`)
        apply(flag, args[++at]!)
      }
      continue
    }
    for (let rest = word.slice(1); rest !== ''; ) {
      const flag = find(groups, each => each.short === rest[0])
      if (flag === undefined) throw wrong(`unknown shorthand flag: '${rest[0]}' in -${rest}`)
      if (rest[1] === '=') {
        apply(flag, rest.slice(2))
        break
      }
      if (isSwitch(flag)) {
        apply(flag, 'true')
        rest = rest.slice(1)
        continue
      }
      if (rest.length === 1 && at + 1 >= args.length) {
        throw wrong(`flag needs an argument: '${rest[0]}' in -${rest}`)
      }
      apply(flag, rest.length > 1 ? rest.slice(1) : args[++at]!)
      break
    }
  }
  return { asksForHelp: false, words: args.slice(at) }
}

/**
 * As `readFlags`, for a command whose flags may stand between and behind its words too. Source: github.com/spf13/pflag,
 * SetInterspersed.
 */
export function readMixedFlags<Options>(
  groups: FlagGroup<Options>[],
  args: string[],
  options: Options,
  program: string,
  exitStatus?: number,
): Reading {
  const words: string[] = []
  for (let rest = args; ; ) {
    const reading = readFlags(groups, rest, options, program, exitStatus)
    if (reading.asksForHelp) return reading
    if (reading.words.length === 0) return { asksForHelp: false, words }
    const hasEnded = rest[rest.length - reading.words.length - 1] === '--'
    if (hasEnded) return { asksForHelp: false, words: [...words, ...reading.words] }
    words.push(reading.words[0]!)
    rest = reading.words.slice(1)
  }
}

/** Sets what a flag is about. Throws MinictrError as `readFlags`. */
export function applyFlag<Options>(
  flag: Flag<Options>,
  value: string,
  options: Options,
  program: string,
  exitStatus?: number,
): void {
  if ('refuses' in flag) throw refusal(flag, value, exitStatus)
  try {
    if ('turn' in flag) flag.turn(options, parseSwitch(value))
    else flag.set(options, value)
  } catch (error) {
    if (!(error instanceof MinictrError)) throw error
    throw inContext(error, flag, value, (message, cause) => usageError(message, program, exitStatus, cause))
  }
}

/** `-m, --memory`, as messages name a flag. */
export function nameOf({ name, short }: Named): string {
  return short === undefined ? `--${name}` : `-${short}, --${name}`
}

/** `-m, --memory <bytes>`, as commander wants it. */
export function spelling<Options>(flag: Flag<Options>): string {
  const value = 'takes' in flag && flag.takes !== undefined ? ` <${flag.takes}>` : ''
  return `${flag.short ? `-${flag.short}, ` : ''}--${flag.name}${value}`
}

function isSwitch<Options>(flag: Flag<Options>): boolean {
  return !('set' in flag) && !('takes' in flag)
}

function refusal(flag: Refused, value: string, exitStatus?: number): MinictrError {
  const given = flag.takes === undefined ? '' : ` ${value}`
  return new MinictrError(`--${flag.name}${given}: ${flag.refuses}`, { exitStatus })
}

/** In Docker's words, and with what was probably meant. */
function unknownFlag<Options>(name: string, groups: FlagGroup<Options>[]): string {
  const names = groups.flatMap(({ flags }) =>
    flags.filter(({ isHidden }) => !isHidden).map(flag => flag.name),
  )
  const near = name === '' ? undefined : nearest(name, names)
  return `unknown flag: --${name}${near === undefined ? '' : ` (did you mean --${near}?)`}`
}

function find<Options>(
  groups: FlagGroup<Options>[],
  test: (flag: Flag<Options>) => boolean,
): Flag<Options> | undefined {
  for (const { flags } of groups) {
    const found = flags.find(test)
    if (found) return found
  }
  return undefined
}

/** The words Go's strconv.ParseBool takes. */
export function parseSwitch(value: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(value)) return false
  throw new MinictrError(`"${value}" is neither true nor false`)
}

function inContext(
  error: MinictrError,
  flag: Named,
  value: string,
  wrong: (message: string, cause?: unknown) => MinictrError,
): MinictrError {
  const told = wrong(
    `invalid argument ${JSON.stringify(value)} for "${nameOf(flag)}" flag: ${error.message}`,
    error,
  )
  if (error.remedy) told.remedy = error.remedy
  return told
}
