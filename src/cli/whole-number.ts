// A whole number as the value of a flag that commander reads.

import { parseWhole } from './flags/numbers.ts'
import { usageError, WRONG_FLAG_STATUS } from './usage-error.ts'

/** What commander calls with the value of `flag` (`-n, --last`); it throws MinictrError in Docker's words. `program` as typed. */
export function parseWholeOf(flag: string, program: string): (text: string) => number {
  return text => {
    try {
      return parseWhole(text)
    } catch (error) {
      const message = `invalid argument "${text}" for "${flag}" flag: ${(error as Error).message}`
      throw usageError(message, program, WRONG_FLAG_STATUS)
    }
  }
}
