// minictr __complete WORDS…: what may stand in place of the last word. For the shells' scripts (completion-scripts.ts).

import type { CommandEntry, CommandTable, GlobalOptions } from './command.ts'
import { findCommand, groups, sections } from './commands.ts'
import { type FlagName, flagsOf } from './completion-flags.ts'
import { directive } from './completion-scripts.ts'
import { argumentWords, type Completed, flagValueWords } from './completion-words.ts'
import { parseGlobals } from './globals.ts'
import { print } from './output.ts'
import { namedFirst, plannable } from './plannable.ts'

const globalFlags: FlagName[] = [
  { names: ['--root'], takesValue: true, about: 'Directory of images and containers' },
  { names: ['--run-root'], takesValue: true, about: 'Directory of what this boot has' },
  { names: ['--config'], takesValue: true, about: 'Configuration file' },
  { names: ['--debug', '-D'], takesValue: false, about: 'Show where an error comes from' },
  { names: ['--help'], takesValue: false, about: 'Print usage' },
  { names: ['--version', '-v'], takesValue: false, about: 'Print version information and quit' },
]

/** Commands whose arguments begin with the name of another one. */
const wrappers = ['explain', 'script']

/** Prints the words that the last of `args` may become; always succeeds. */
export async function perform(args: string[], globals: GlobalOptions): Promise<number> {
  let found: Completed
  try {
    found = await complete(args, globals)
  } catch {
    // A wrong command line, or a store that cannot be read: nothing is known.
    found = { words: [], bits: directive.none }
  }
  const current = args.at(-1) ?? ''
  const lines = found.words
    .filter(({ word }) => word.startsWith(current))
    .map(({ word, about }) => `${word}${about ? `\t${about.replaceAll(/\s+/g, ' ')}` : ''}\n`)
  return await print(`${lines.join('')}:${found.bits}\n`)
}

async function complete(args: string[], outer: GlobalOptions): Promise<Completed> {
  const current = args.at(-1) ?? ''
  const before = args.slice(0, -1)
  const start = skipGlobals(before)
  if (start > before.length)
    return files(before.at(-1) === '--config' ? directive.none : directive.onlyDirectories)
  const { root, runRoot, configFile } = outer
  const given = ['--root', root, '--run-root', runRoot, '--config', configFile, ...before.slice(0, start)]
  const { globals } = parseGlobals([...given, 'ps'])
  const words = before.slice(start)
  if (words[0] === 'help') words.shift()
  if (words.length === 0) {
    if (current.startsWith('-')) return flagWords(globalFlags)
    const commands = sections.map(section => section.commands)
    return commandWords([...commands, groups as unknown as CommandTable])
  }
  if (words.length === 1 && Object.hasOwn(groups, words[0]!))
    return commandWords([groups[words[0]!]!.commands])
  return await completeCommand(words, current, globals)
}

async function completeCommand(words: string[], current: string, globals: GlobalOptions): Promise<Completed> {
  if (wrappers.includes(words[0]!)) {
    const given = words.slice(1)
    if (namedFirst(given)) return await completeCommand(given, current, globals)
    const names = Object.keys(plannable).map(name => name.split(' '))
    const next = names.filter(name => given.every((word, at) => name[at] === word))
    const following = new Set(next.map(name => name[given.length]!))
    return { words: [...following].map(word => ({ word })), bits: directive.noFiles }
  }
  const found = findCommand(words)
  if (found.kind !== 'command') return none
  const flags = await flagsOf(found.name, found.entry, globals)
  const state = readArguments(found.args, flags, keepsWords(found.name))
  if (state.isPast) return files(directive.none)
  if (state.awaits) return await flagValueWords(state.awaits, '', current, globals)
  const assigned = /^(--[a-z0-9-]+)=/.exec(current)
  const flag = assigned && flags.find(({ names }) => names.includes(assigned[1]!))
  if (flag) return await flagValueWords(flag, assigned[0], current, globals)
  if (current.startsWith('-') && !state.hasEnded) return flagWords(flags)
  return await argumentWords(found.name, state.count, current, globals)
}

/** Commands that give all words behind their own arguments to a program inside. */
function keepsWords(name: string): number | undefined {
  return ['run', 'create', 'exec', 'container run', 'container create', 'container exec'].includes(name)
    ? 1
    : undefined
}

/** How far the words before have got. */
function readArguments(words: string[], flags: FlagName[], own: number | undefined) {
  const state: { count: number; awaits?: FlagName; hasEnded: boolean; isPast: boolean } = {
    count: 0,
    hasEnded: false,
    isPast: false,
  }
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (word === '--' && !state.hasEnded) state.hasEnded = true
    else if (word.startsWith('-') && word.length > 1 && !state.hasEnded) {
      const flag = valuedFlag(word, flags)
      if (flag && ++at >= words.length) state.awaits = flag
    } else state.count++
    if (own !== undefined && state.count >= own) {
      state.isPast = true
      return state
    }
  }
  return state
}

/** The flag of a word that needs the next one as its value: `--name`, `-e`, or the last letter of `-ite`. */
function valuedFlag(word: string, flags: FlagName[]): FlagName | undefined {
  if (word.startsWith('--')) return flags.find(flag => flag.takesValue && flag.names.includes(word))
  for (let at = 1; at < word.length; at++) {
    const flag = flags.find(({ names }) => names.includes(`-${word[at]}`))
    if (flag?.takesValue) return at === word.length - 1 ? flag : undefined
  }
  return undefined
}

/** Where the command begins; beyond the words where a global flag's value is still to come. */
function skipGlobals(words: string[]): number {
  let at = 0
  while (at < words.length && words[at]!.startsWith('-')) {
    const flag = globalFlags.find(({ names }) => names.includes(words[at]!))
    at += flag?.takesValue ? 2 : 1
  }
  return at
}

function commandWords(tables: CommandTable[]): Completed {
  const entries = tables.flatMap(table => Object.entries(table) as [string, CommandEntry][])
  return { words: entries.map(([word, { summary }]) => ({ word, about: summary })), bits: directive.noFiles }
}

function flagWords(flags: FlagName[]): Completed {
  const words = flags.flatMap(({ names, about }) => names.map(word => ({ word, about })))
  return { words: words.filter(({ word }) => word.startsWith('--')), bits: directive.noFiles }
}

function files(bits: number): Completed {
  return { words: [], bits }
}

const none: Completed = { words: [], bits: directive.noFiles }
