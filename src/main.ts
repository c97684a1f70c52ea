// The entry: global options, one command's file loaded and performed, one error at most, the exit status.

import type { GlobalOptions } from './cli/command.ts'
import { findCommand } from './cli/commands.ts'
import { parseGlobals } from './cli/globals.ts'
import { takeFront } from './system/front.ts'

const onFailure = { status: 1, debug: false }

/** Performs what the arguments ask for; returns the exit status. */
async function main(argv: string[]): Promise<number> {
  const { globals, wants, words } = parseGlobals(argv)
  onFailure.debug = globals.debug
  if (wants === 'command') return await dispatch(words, globals)
  if (wants === 'help' && words.length > 0) return await dispatch([...words, '--help'], globals)
  const { helpText, versionText } = await import('./cli/help.ts')
  return await print(wants === 'help' ? helpText() : await versionText())
}

async function dispatch(words: string[], globals: GlobalOptions): Promise<number> {
  const found = findCommand(words)
  if (found.kind === 'unknown') throw (await import('./cli/help.ts')).unknownCommand(found)
  if (found.kind === 'group') return await print((await import('./cli/help.ts')).groupHelpText(found))
  onFailure.status = found.entry.failureStatus ?? 1
  const module = await found.entry.load()
  if ('perform' in module) return await module.perform(found.args, globals)
  if (module.onNames && found.args.length > 0 && !found.args.some(word => word.startsWith('-'))) {
    await module.onNames(found.args, globals)
    return Number(process.exitCode ?? 0)
  }
  const { runProgram } = await import('./cli/program.ts')
  return await runProgram(await module.command(globals), found.name, found.args, module.saysLittle)
}

/** Touching process.stdout at all costs a `run` two milliseconds, so what prints is loaded by those who print. */
async function print(text: string): Promise<number> {
  return await (await import('./cli/output.ts')).print(`${text}\n`)
}

async function fail(error: unknown): Promise<number> {
  // What has run out may be what loading takes.
  const text = await import('./cli/failure.ts').then(
    ({ explain }) => explain(error, onFailure.debug),
    () => `minictr: ${(error as Error).message}\n`,
  )
  process.stderr.write(text)
  const { exitStatus } = error as { exitStatus?: unknown }
  return typeof exitStatus === 'number' ? exitStatus : onFailure.status
}

takeFront()
main(process.argv.slice(2))
  .catch(fail)
  .then(status => process.exit(status))
