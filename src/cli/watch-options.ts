// --step, --timing and --trace of commands that act on containers.

import type { Command } from 'commander'
import type { Watch } from '../learn/watch.ts'
import { watching } from './watching.ts'

export type WatchFlags = { step?: boolean; timing?: boolean; trace?: string }

/** Adds the flags to a command of commander. */
export function watchOptions(command: Command): Command {
  return command
    .option('--step', 'Pause before each step')
    .option('--timing', 'Print each step with its microseconds, as it happens')
    .option('--trace <file>', "Write the steps' times to a file in the Chrome trace format")
}

/** What watches, or undefined where nothing was asked for. Throws MinictrError where there is no terminal to ask on. */
export async function watchingOf({
  step = false,
  timing = false,
  trace,
}: WatchFlags): Promise<Watch | undefined> {
  return await watching({ step, timing, ...(trace !== undefined && { traceFile: trace }) })
}
