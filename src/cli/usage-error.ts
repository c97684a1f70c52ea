// A command line that cannot be understood: said in one line, with where to read more.

import { MinictrError } from '../system/error.ts'

/** What Docker's command line ends with where a flag is wrong; other mistakes end with 1. */
export const WRONG_FLAG_STATUS = 125

/** The error for a wrong command line; `program` is the command as typed, `minictr run`. */
export function usageError(
  message: string,
  program: string,
  exitStatus?: number,
  cause?: unknown,
): MinictrError {
  return new MinictrError(message, { remedy: `See '${program} --help'.`, exitStatus, cause })
}
