// minictr run: a container from an image, in the foreground.

import type { RunOptions } from '../containers/options.ts'
import type { GlobalOptions } from './command.ts'
import { parseRun } from './run-flags.ts'
import { provideImage } from './run-image.ts'

/** Creates and runs the container that the arguments describe; returns the status of its process, or Docker's 125. */
export async function perform(args: string[], globals: GlobalOptions): Promise<number> {
  const options = parseRun(args)
  if (options === 'help') {
    const [{ print }, { runHelp }] = await Promise.all([import('./output.ts'), import('./run-help.ts')])
    return await print(runHelp())
  }
  if (options.tty) await useTerminal(options)
  if (!options.isNetworkChosen && !options.quiet && process.stderr.isTTY) {
    process.stderr.write('No --network given: the container gets none (bridge networks come later).\n')
  }
  const image = await provideImage(options, globals)
  const { runContainer } = await import('../containers/run.ts')
  const watch = isWatched(options) ? await (await import('../learn/watch.ts')).watchRun(options) : undefined
  const { exitStatus, leftovers } = await runContainer(options, globals, watch?.observer, image).finally(
    watch?.finish,
  )
  for (const leftover of leftovers) process.stderr.write(`Not cleaned up: ${leftover}\n`)
  return exitStatus
}

/**
 * Takes over the size of the terminal. Without one, output may still have a terminal of its own, but nothing can be
 * typed: Docker's words and its status, which is not 125 here.
 */
async function useTerminal(options: RunOptions): Promise<void> {
  const { isatty } = await import('node:tty')
  if (isatty(1)) {
    const [columns, rows] = process.stdout.getWindowSize()
    options.terminalSize = { rows, columns }
  }
  if (!options.interactive || isatty(0)) return
  const { MinictrError } = await import('../system/error.ts')
  throw new MinictrError('the input device is not a TTY', {
    remedy: 'Leave out -t: with -i alone, standard input may be a pipe or a file.',
    exitStatus: 1,
  })
}

function isWatched({ step, timing, traceFile }: RunOptions): boolean {
  return step || timing || traceFile !== undefined
}
