// Whether a command is to be watched at work (--step, --timing, --trace), and what watches it.

import type { Watch, Watching } from '../learn/watch.ts'

/**
 * What watches, or undefined where nothing was asked for. Loading it is no part of the work that is timed: its clock is
 * told when that began. Throws MinictrError where there is no terminal to ask on.
 */
export async function watching(options: Watching): Promise<Watch | undefined> {
  if (!options.step && !options.timing && options.traceFile === undefined) return undefined
  const beganNs = process.hrtime.bigint()
  const { watchRun } = await import('../learn/watch.ts')
  return await watchRun(options, beganNs)
}
