// The entry: global options, one command's file loaded and performed, one error at most, the exit status.

import type { GlobalOptions } from './cli/command.ts'
import { findCommand } from './cli/commands.ts'
import { parseGlobals } from './cli/globals.ts'

/** What a shell reports of a program that wrote into a pipe nobody reads any more: 128 + SIGPIPE. */
const BROKEN_PIPE_STATUS = 141

const onFailure = { status: 1, debug: false }

/** Performs what the arguments ask for; returns the exit status. */
async function main(argv: string[]): Promise<number> {
  const { globals, wants, words } = parseGlobals(argv)
  onFailure.debug = globals.debug
  if (wants === 'command') return await dispatch(words, globals)
  if (wants === 'help' && words.length > 0) return await dispatch([...words, '--help'], globals)
  const { helpText, versionText } = await import('./cli/help.ts')
  return print(wants === 'help' ? helpText() : await versionText())
}

async function dispatch(words: string[], globals: GlobalOptions): Promise<number> {
  const found = findCommand(words)
  if (found.kind === 'unknown') throw (await import('./cli/help.ts')).unknownCommand(found)
  if (found.kind === 'group') {
    return print((await import('./cli/help.ts')).groupHelpText(found.name, found.group))
  }
  onFailure.status = found.entry.failureStatus ?? 1
  const module = await found.entry.load()
  if ('perform' in module) return await module.perform(found.args, globals)
  endQuietlyWithoutReader()
  const { runProgram } = await import('./cli/program.ts')
  return await runProgram(module.command(globals), found.name, found.args)
}

function print(text: string): number {
  endQuietlyWithoutReader()
  process.stdout.write(`${text}\n`)
  return 0
}

/** Called only by what prints: to touch process.stdout at all costs a `run` two milliseconds. */
function endQuietlyWithoutReader(): void {
  const end = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(BROKEN_PIPE_STATUS)
  }
  process.stdout.on('error', end)
  process.stderr.on('error', end)
}

async function fail(error: unknown): Promise<number> {
  const { explain } = await import('./cli/failure.ts')
  process.stderr.write(explain(error, onFailure.debug))
  const { exitStatus } = error as { exitStatus?: unknown }
  return typeof exitStatus === 'number' ? exitStatus : onFailure.status
}

main(process.argv.slice(2))
  .catch(fail)
  .then(status => process.exit(status))
