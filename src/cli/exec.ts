// minictr exec: one more program in a container that runs.

import type { GlobalOptions } from './command.ts'
import { parseExec } from './exec-flags.ts'
import { watching } from './watching.ts'

/** Starts the program that the arguments describe; returns its status, or 0 once a detached one runs. */
export async function perform(args: string[], globals: GlobalOptions): Promise<number> {
  const options = parseExec(args)
  if (options === 'help') {
    const [{ print }, { execHelp }] = await Promise.all([import('./output.ts'), import('./exec-help.ts')])
    return await print(execHelp())
  }
  if (options.tty && !options.detach) {
    const { useTerminal } = await import('./terminal-use.ts')
    options.terminalSize = await useTerminal(options.interactive)
  }
  const { execInContainer } = await import('../containers/exec.ts')
  const watch = await watching(options)
  return await execInContainer(options, globals, watch?.observer).finally(watch?.finish)
}
