// What a command could not take back, told beside what it did.

import { say } from './output.ts'

/** A line on standard error for each. */
export function sayLeftovers(leftovers: string[]): void {
  for (const leftover of leftovers) say('stderr', `Not cleaned up: ${leftover}\n`)
}
