// Flags that are data, as options of a command that commander parses.

import type { Command } from 'commander'
import { applyFlag, type Flag, spelling } from './flags/flag.ts'
import { WRONG_FLAG_STATUS } from './usage-error.ts'

/** Adds the flags to a command; those that are refused are parsed all the same, and left out of the help. */
export function addFlags<Options>(command: Command, flags: Flag<Options>[]): Command {
  for (const flag of flags) {
    const option = command.createOption(spelling(flag), flag.about)
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
  const attributeOf = new Map(command.options.map(option => [option.name(), option.attributeName()]))
  const given = flags.filter(({ name }) => command.getOptionValueSource(attributeOf.get(name)!) === 'cli')
  for (const flag of given) {
    const value = String(command.getOptionValue(attributeOf.get(flag.name)!))
    applyFlag(flag, value, options, program, WRONG_FLAG_STATUS)
  }
  return given.length
}
