// Commands that commander parses, with commander's errors said in Docker's words.

import { type Command, CommanderError, type Option } from 'commander'
import { MinictrError } from '../system/error.ts'
import { type FlagGroup, parseSwitch } from './flags/flag.ts'
import { BROKEN_PIPE_STATUS, writeError } from './output.ts'
import { usageError, WRONG_FLAG_STATUS } from './usage-error.ts'

/**
 * Parses `args` and performs the command, whose name is given as typed (`image ls`). Returns the status to exit
 * with. Throws MinictrError for a wrong command line. One that says little is not ended because nobody reads it.
 */
export async function runProgram(
  command: Command,
  name: string,
  args: string[],
  saysLittle = false,
): Promise<number> {
  const done = parse(command, `minictr ${name}`, args)
  const left = await (saysLittle ? done : Promise.race([done.then(untilTold), readerLeft()]))
  return left === BROKEN_PIPE_STATUS ? left : Number(process.exitCode ?? 0)
}

/**
 * The words and flags of a command line as the command would get them, which is not performed; `'help'` where `--help` is
 * among them. `extra` are flags that do not belong to it. Throws MinictrError for a wrong command line.
 */
export async function readCommandLine(
  command: Command,
  program: string,
  args: string[],
  extra: FlagGroup<unknown>[],
): Promise<{ words: string[]; flags: object } | 'help'> {
  const others = extra.flatMap(({ flags }) => flags)
  for (const flag of others) {
    command.option('takes' in flag ? `--${flag.name} <${flag.takes}>` : `--${flag.name}`, flag.about)
  }
  command.action(() => {}).configureOutput({ writeOut: () => {} })
  if ((await parse(command, program, args)) === 'help') return 'help'
  for (const flag of others) {
    const value = command.getOptionValue(flag.name)
    if (value === undefined) continue
    if ('turn' in flag) flag.turn(undefined, value)
    else if ('set' in flag) flag.set(undefined, value)
  }
  return { words: command.processedArgs.flat(), flags: command.opts() }
}

/** Parses, and performs the command's action. */
async function parse(command: Command, program: string, args: string[]): Promise<'help' | 'done'> {
  command
    .name(program)
    .exitOverride()
    .helpOption('--help', 'Print usage')
    .configureHelp({ styleTitle: usageTitle })
    .configureOutput({ writeErr: () => {} })
    .hook('preAction', withoutEmptyFormat)
  try {
    await command.parseAsync(withoutSwitchValues(args, command), { from: 'user' })
    return 'done'
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.helpDisplayed') return 'help'
    throw inDockersWords(error, command, program, args)
  }
}

/** `--format ''` is none: scripts hand on a variable that may be empty. */
function withoutEmptyFormat(command: Command): void {
  if (command.getOptionValue('format') === '') command.setOptionValue('format', undefined)
}

/** A heading of the help; two spaces after the first, as in Docker's. */
export function usageTitle(title: string): string {
  return title === 'Usage:' ? 'Usage: ' : title
}

/**
 * `--all=true` as `--all`, and without `--all=false`, which is said to the command at once: Docker's switches take a value,
 * commander's do not. Throws MinictrError for another value.
 */
function withoutSwitchValues(args: string[], command: Command): string[] {
  const end = args.indexOf('--')
  return args.flatMap((word, at) => {
    const match = end >= 0 && at > end ? null : /^(--[a-z][a-z-]*|-[a-zA-Z])=(.*)$/s.exec(word)
    const option = match && command.options.find(({ long, short }) => long === match[1] || short === match[1])
    if (!match || !option || option.required) return [word]
    if (option.optional) return [`${option.long}=${match[2]}`]
    if (isOn(match[2]!, option)) return [match[1]!]
    // One that is on by default would stay so.
    if (!option.negate) command.setOptionValue(option.attributeName(), false)
    return []
  })
}

function isOn(value: string, { long, short }: Option): boolean {
  try {
    return parseSwitch(value)
  } catch (error) {
    const name = [short, long].filter(Boolean).join(', ')
    const message = `invalid argument ${JSON.stringify(value)} for "${name}" flag: ${(error as Error).message}`
    throw new MinictrError(message, { exitStatus: WRONG_FLAG_STATUS })
  }
}

/** Until a slow reader has taken all that was printed; what could not be written is told of a moment later. */
async function untilTold(): Promise<void> {
  for (const stream of [process.stdout, process.stderr])
    if (stream.writableLength > 0) await new Promise<void>(resolve => stream.write('', () => resolve()))
  await new Promise(resolve => setImmediate(resolve))
}

/** Comes true when nobody reads what is printed any more: the rest of the work would be for nobody. */
function readerLeft(): Promise<typeof BROKEN_PIPE_STATUS> {
  return new Promise((resolve, reject) => {
    for (const stream of ['stdout', 'stderr'] as const) {
      process[stream].on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EPIPE' ? resolve(BROKEN_PIPE_STATUS) : reject(writeError(stream, error)),
      )
    }
  })
}

function inDockersWords(
  error: CommanderError,
  command: Command,
  program: string,
  args: string[],
): MinictrError {
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? ''
  const required = command.registeredArguments.filter(argument => argument.required).length
  const most = command.registeredArguments.some(argument => argument.variadic)
    ? Number.POSITIVE_INFINITY
    : command.registeredArguments.length
  switch (error.code) {
    case 'commander.unknownOption':
      return usageError(unknownFlag(quoted, args), program, WRONG_FLAG_STATUS)
    case 'commander.optionMissingArgument':
      return usageError(`flag needs an argument: ${flagIn(quoted)}`, program, WRONG_FLAG_STATUS)
    case 'commander.missingArgument':
      return usageError(
        `'${program}' requires ${required === most ? '' : 'at least '}${count(required)}`,
        program,
      )
    case 'commander.excessArguments':
      if (most === 0) return usageError(`'${program}' accepts no arguments`, program)
      return usageError(`'${program}' requires ${required === most ? '' : 'at most '}${count(most)}`, program)
    default:
      return usageError(error.message.replace(/^error: /, ''), program)
  }
}

function unknownFlag(flag: string, args: string[]): string {
  if (flag.startsWith('--')) return `unknown flag: ${flag.split('=')[0]}`
  const word = args.find(
    each => !each.startsWith('--') && each.startsWith('-') && each.includes(flag.slice(1, 2)),
  )
  return `unknown shorthand flag: '${flag.slice(1, 2)}' in ${word ?? flag}`
}

/** `--file` of commander's `-f, --file <path>`. */
function flagIn(flags: string): string {
  return /--[a-z0-9-]+/.exec(flags)?.[0] ?? flags
}

function count(howMany: number): string {
  return `${howMany} argument${howMany === 1 ? '' : 's'}`
}
