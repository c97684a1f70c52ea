// Waiting for a while.

/** Resolves after so many milliseconds. node:timers/promises has the same, and takes half a millisecond to load. */
export function delay(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
