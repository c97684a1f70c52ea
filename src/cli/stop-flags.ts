// The flags that `stop` and `restart` share: how a program is asked to end, and how long it may take.

import type { Command } from 'commander'
import { checkSignal } from '../containers/program.ts'
import type { StopOptions } from '../containers/stop.ts'
import { addFlags, applyFlags } from './flag-options.ts'
import type { Flag } from './flags/flag.ts'
import { parseWhole } from './flags/numbers.ts'

const setTimeout = (options: StopOptions, text: string) => {
  options.timeoutSeconds = parseWhole(text)
}

const flags: Flag<StopOptions>[] = [
  {
    name: 'signal',
    short: 's',
    takes: 'string',
    about: 'Signal to send to the container',
    set(options, signal) {
      options.signal = signal
    },
  },
  {
    name: 'timeout',
    short: 't',
    takes: 'seconds',
    about: 'Seconds to wait before killing the container; -1 is for ever',
    set: setTimeout,
  },
  { name: 'time', takes: 'seconds', about: 'older spelling of --timeout', isHidden: true, set: setTimeout },
]

/** Adds the flags to a command of commander. */
export function stopFlags(command: Command): Command {
  return addFlags(command, flags)
}

/** What the flags of a parsed command line come to. Throws MinictrError for a signal or a number that is none. */
export function stopOptions(parsed: Command): StopOptions {
  const options: StopOptions = {}
  applyFlags(parsed, flags, options, parsed.name())
  if (options.signal !== undefined) checkSignal(options.signal)
  return options
}
