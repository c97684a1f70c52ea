// minictr run: a container from an image, in front of us or in the background.

import { writeSync } from 'node:fs'
import type { GlobalOptions } from './command.ts'
import { parseRun } from './run-flags.ts'
import { provideImage } from './run-image.ts'
import { watching } from './watching.ts'

/** Creates and runs the container that the arguments describe; returns the status of its process, or Docker's 125. */
export async function perform(args: string[], globals: GlobalOptions): Promise<number> {
  const options = parseRun(args)
  if (options === 'help') {
    const [{ print }, { runHelp }] = await Promise.all([import('./output.ts'), import('./run-help.ts')])
    return await print(runHelp())
  }
  if (options.tty && !options.detach) {
    const { useTerminal } = await import('./terminal-use.ts')
    options.terminalSize = await useTerminal(options.interactive)
  }
  const image = await provideImage(options, globals)
  const { runContainer } = await import('../containers/run.ts')
  const watch = await watching(options)
  let id: string | undefined
  const result = await runContainer(options, globals, {
    observer: watch?.observer,
    image,
    onRunning: running => {
      id = running
    },
  }).finally(watch?.finish)
  if (result.how === 'failed') id = result.id
  if (options.detach && id !== undefined) writeSync(1, `${id}\n`)
  if (result.how === 'failed') throw result.error
  if (result.how === 'left') return 0
  for (const leftover of result.leftovers) process.stderr.write(`Not cleaned up: ${leftover}\n`)
  return result.how === 'ended' ? result.exitStatus : 0
}
