// Error numbers of the kernel by their names (errno(3)).

/** The name (`ENOENT`) an error of node:fs or a child process carries, if any. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
