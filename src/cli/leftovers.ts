// What a command could not take back, told beside what it did.

/** A line on standard error for each. */
export function sayLeftovers(leftovers: string[]): void {
  for (const leftover of leftovers) process.stderr.write(`Not cleaned up: ${leftover}\n`)
}
