// Flags that are data, as options of a command that commander parses.

import { type Command, Option } from 'commander'
import { spelling } from './flag-help.ts'
import { applyFlag, type Flag } from './flags/flag.ts'
import { WRONG_FLAG_STATUS } from './usage-error.ts'

/** Adds the flags to a command; those that are refused are parsed all the same, and left out of the help. */
export function addFlags<Options>(command: Command, flags: Flag<Options>[]): Command {
  for (const flag of flags) {
    const option = new Option(spelling(flag), flag.about)
    command.addOption(flag.isHidden || 'refuses' in flag ? option.hideHelp() : option)
  }
  return command
}

/**
 * Has the flags that were given set what they are about. Returns how many there were. Throws MinictrError in Docker's words for a
 * value that is wrong, and for a flag that is refused.
 */
export function applyFlags<Options>(
  command: Command,
  flags: Flag<Options>[],
  options: Options,
  program: string,
): number {
  const given = flags.filter(({ name }) => command.getOptionValueSource(attributeOf(name)) === 'cli')
  for (const flag of given) {
    applyFlag(
      flag,
      String(command.getOptionValue(attributeOf(flag.name))),
      options,
      program,
      WRONG_FLAG_STATUS,
    )
  }
  return given.length
}

/** `memorySwap` for `memory-swap`, as commander keeps it. */
function attributeOf(name: string): string {
  return new Option(`--${name}`).attributeName()
}
