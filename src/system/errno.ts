// Error numbers of the kernel by their names (errno(3)).

/** The name (`ENOENT`) an error of node:fs or a child process carries, if any. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** The same error, with the path in its message: write(2) knows none (`ENOSPC: no space left on device, write`). */
export function at(path: string, error: unknown): unknown {
  if (errnoOf(error) !== undefined && error instanceof Error && !error.message.includes(path)) {
    error.message += ` '${path}'`
  }
  return error
}
