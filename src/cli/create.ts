// minictr create: a container from an image, not started.

import type { GlobalOptions } from './command.ts'
import { createFlags, parseRun } from './run-flags.ts'
import { provideImage } from './run-image.ts'
import { watching } from './watching.ts'

/** Creates the container that the arguments describe, and prints its id; returns the exit status. */
export async function perform(args: string[], globals: GlobalOptions): Promise<number> {
  const { print } = await import('./output.ts')
  const options = parseRun(args, 'minictr create', [], createFlags)
  if (options === 'help') return await print((await import('./run-help.ts')).createHelp())
  const image = await provideImage(options, globals)
  const { createContainer } = await import('../containers/create.ts')
  const watch = await watching(options)
  const id = await createContainer(options, globals, { observer: watch?.observer, image }).finally(
    watch?.finish,
  )
  return id === undefined ? 0 : await print(`${id}\n`)
}
