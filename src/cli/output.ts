// Long texts to standard output: all of it is written before minictr exits, unless the reader leaves first.

/** What a shell reports of a program that wrote into a pipe nobody reads any more: 128 + SIGPIPE. */
export const BROKEN_PIPE_STATUS = 141

/** Writes the text and waits until it has been taken; returns the status to exit with, 0 or that of a broken pipe. */
export async function print(text: string): Promise<number> {
  const { stdout } = process
  return await new Promise((resolve, reject) => {
    stdout.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') resolve(BROKEN_PIPE_STATUS)
      else reject(error)
    })
    stdout.write(text, error => {
      if (!error) resolve(0)
    })
  })
}
