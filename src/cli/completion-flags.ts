// The flags of each command, out of the tables that read them: commander's options, or groups of flags.

import type { CommandEntry, GlobalOptions } from './command.ts'
import type { Flag, FlagGroup } from './flags/flag.ts'

export type FlagName = { names: string[]; takesValue: boolean; about: string }

const help: FlagName = { names: ['--help'], takesValue: false, about: 'Print usage' }

/** The flags of a command; those of commands that read their own words are known by the command's name. */
export async function flagsOf(
  name: string,
  entry: CommandEntry,
  globals: GlobalOptions,
): Promise<FlagName[]> {
  const ownName = name.replace(/^container /, '')
  if (ownName === 'run' || ownName === 'create') {
    const { runFlags } = await import('./run-flags.ts')
    return [...fromGroups(runFlags), help]
  }
  if (ownName === 'exec') {
    const { execFlags } = await import('./exec-flags.ts')
    return [...fromGroups(execFlags), help]
  }
  if (ownName === 'network create') {
    const { createFlags } = await import('./network-create-flags.ts')
    return [...fromGroups(createFlags), help]
  }
  if (ownName === 'network connect') {
    const { connectFlags } = await import('./network-connect-flags.ts')
    return [...fromGroups(connectFlags), help]
  }
  const module = await entry.load()
  if (!('command' in module)) return [help]
  const { options: all } = await module.command(globals)
  const options = all.filter(({ hidden }) => !hidden)
  return [
    ...options.map(({ long, short, required, optional, description }) => ({
      names: [long, short].filter(word => word !== undefined),
      takesValue: required || optional,
      about: description,
    })),
    help,
  ]
}

/** Docker's flags that are refused here are not offered. */
function fromGroups<Options>(groups: FlagGroup<Options>[]): FlagName[] {
  const offered = groups.flatMap(({ flags }) => flags.filter(flag => !('refuses' in flag) && !flag.isHidden))
  return offered.map((flag: Flag<Options>) => ({
    names: [`--${flag.name}`, ...(flag.short ? [`-${flag.short}`] : [])],
    takesValue: 'takes' in flag,
    about: flag.about,
  }))
}
