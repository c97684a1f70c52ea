// A command line that cannot be understood: said in one line, with where to read more.

import { MinictrError } from '../system/error.ts'

/** The error for a wrong command line; `program` is the command as typed, `minictr run`. */
export function usageError(
  message: string,
  program: string,
  exitStatus?: number,
  cause?: unknown,
): MinictrError {
  return new MinictrError(message, { remedy: `See '${program} --help'.`, exitStatus, cause })
}
