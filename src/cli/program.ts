// Commands that commander parses, with commander's errors said in Docker's words.

import { type Command, CommanderError } from 'commander'
import type { MinictrError } from '../system/error.ts'
import { BROKEN_PIPE_STATUS } from './output.ts'
import { usageError } from './usage-error.ts'

/**
 * Parses `args` and performs the command, whose name is given as typed (`image ls`). Returns the status to exit
 * with. Throws MinictrError for a wrong command line.
 */
export async function runProgram(command: Command, name: string, args: string[]): Promise<number> {
  const program = `minictr ${name}`
  command
    .name(program)
    .exitOverride()
    .helpOption('--help', 'Print usage')
    .configureHelp({ styleTitle: usageTitle })
    .configureOutput({ writeErr: () => {} })
  try {
    const left = await Promise.race([command.parseAsync(args, { from: 'user' }), readerLeft()])
    if (left === BROKEN_PIPE_STATUS) return left
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.helpDisplayed') return 0
    throw inDockersWords(error, command, program, args)
  }
  return Number(process.exitCode ?? 0)
}

/** A heading of the help; two spaces after the first, as in Docker's. */
export function usageTitle(title: string): string {
  return title === 'Usage:' ? 'Usage: ' : title
}

/** Comes true when nobody reads what is printed any more: the rest of the work would be for nobody. */
function readerLeft(): Promise<typeof BROKEN_PIPE_STATUS> {
  return new Promise((resolve, reject) => {
    const check = (error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' ? resolve(BROKEN_PIPE_STATUS) : reject(error)
    process.stdout.on('error', check)
    process.stderr.on('error', check)
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
      return usageError(unknownFlag(quoted, args), program)
    case 'commander.optionMissingArgument':
      return usageError(`flag needs an argument: ${flagIn(quoted)}`, program)
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
