// The caller's own terminal, where a program is to have one: its size, and whether anything can be typed at all.

/**
 * The size of the terminal that output goes to, if it is one. Throws MinictrError, in Docker's words and with its status,
 * which is not 125 here, where input is wanted and is none.
 */
export async function useTerminal(
  isInteractive: boolean,
): Promise<{ rows: number; columns: number } | undefined> {
  const { isatty } = await import('node:tty')
  if (isInteractive && !isatty(0)) {
    const { MinictrError } = await import('../system/error.ts')
    throw new MinictrError('the input device is not a TTY', {
      remedy: 'Leave out -t: with -i alone, standard input may be a pipe or a file.',
      exitStatus: 1,
    })
  }
  if (!isatty(1)) return undefined
  const [columns, rows] = process.stdout.getWindowSize()
  return { rows, columns }
}
