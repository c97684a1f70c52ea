// What Docker prints as WARNING before a container is made: wishes this host cannot meet.

import { visible } from '../system/visible.ts'

/** Gives what prints warnings to standard error, each one only once: a container may have to be planned again. */
export function warnOnce(): (warnings: string[]) => void {
  const told = new Set<string>()
  return warnings => {
    for (const warning of warnings) {
      if (!told.has(warning)) process.stderr.write(`WARNING: ${visible(warning)}\n`)
      told.add(warning)
    }
  }
}
