// The small process that stands in front of this one (native/front.c): whoever started minictr waits for that.

import { writeSync } from 'node:fs'
import { isSocket } from './descriptors.ts'

/** The launcher's: a variable that says that there is one, and the descriptor on which it is told. */
const launched = { variable: 'MINICTR_FRONT', descriptor: 5 }

/**
 * Has the process in front, if the launcher started one, end with this one's status as soon as that is known: nobody waits for
 * what Node takes to end. Nobody else is to take that process for theirs.
 */
export function takeFront(): void {
  const isThere = process.env[launched.variable] !== undefined
  delete process.env[launched.variable]
  if (!isThere || !isSocket(launched.descriptor)) return
  process.on('exit', status => {
    try {
      writeSync(launched.descriptor, Uint8Array.of(status))
    } catch {
      // It was killed: this process's own end is all there is.
    }
  })
}
