// What minictr says about itself: its version, its commands, and that a name is none of theirs.

import { MinictrError } from '../system/error.ts'
import type { CommandTable } from './command.ts'
import { type Found, groups, sections } from './commands.ts'
import { nearest } from './nearest.ts'
import { packageVersion } from './package-version.ts'
import { usageError, WRONG_FLAG_STATUS } from './usage-error.ts'

const globalOptions: [flag: string, about: string][] = [
  ['--root DIR', 'Where images and containers are kept (default /var/lib/minictr)'],
  ['--run-root DIR', 'Where the state of this boot is kept (default /run/minictr)'],
  ['--config FILE', 'Registry mirrors, insecure registries, … (default /etc/minictr/config.json)'],
  ['-D, --debug', 'Say where in the program an error happened'],
  ['-v, --version', 'Print version information and quit'],
  ['--help', 'Print this help'],
]

/** The text of `minictr --help`. */
export function helpText(): string {
  const blocks = sections.map(({ title, commands }) => `${title}:\n${list(rowsOf(commands))}`)
  const groupRows = Object.entries(groups).map(([name, { summary }]): [string, string] => [name, summary])
  return [
    'Usage:  minictr [OPTIONS] COMMAND',
    'A container runtime to read and to use: every container is a list of steps that can be\nperformed, shown, walked one at a time and printed as a script',
    ...blocks,
    ...(groupRows.length > 0 ? [`Management Commands:\n${list(groupRows)}`] : []),
    `Global Options:\n${list(globalOptions)}`,
    "Run 'minictr COMMAND --help' for more information on a command.",
  ].join('\n\n')
}

/** The text of `minictr image --help`. Throws MinictrError for another flag than that. */
export function groupHelpText({ name, group, args }: Found & { kind: 'group' }): string {
  const { summary, commands } = group
  const [flag = '--help'] = args
  if (flag !== '--help' && flag !== '-h')
    throw usageError(`unknown flag: ${flag}`, `minictr ${name}`, WRONG_FLAG_STATUS)
  return [
    `Usage:  minictr ${name} COMMAND`,
    summary,
    `Commands:\n${list(rowsOf(commands))}`,
    `Run 'minictr ${name} COMMAND --help' for more information on a command.`,
  ].join('\n\n')
}

/** `minictr version 0.1.0`. */
export async function versionText(): Promise<string> {
  return `minictr version ${await packageVersion()}`
}

/** Docker's commands that minictr has not, by the word that they follow; each is refused by name. */
const ofDocker: { [program: string]: string } = {
  minictr:
    'build builder buildx checkpoint commit compose config context export import load manifest node plugin push save search secret service stack swarm tag trust',
  'minictr container': 'commit export',
  'minictr image': 'build import load push save tag',
}

const instead: { [command: string]: string } = {}

/** The error for a name that is no command's: one that only Docker has, or else with the nearest one that is. */
export function unknownCommand({ words, candidates }: Found & { kind: 'unknown' }): MinictrError {
  const typed = words.at(-1)!
  const program = ['minictr', ...words.slice(0, -1)].join(' ')
  if (ofDocker[program]?.split(' ').includes(typed)) {
    return new MinictrError(`Docker's '${words.join(' ')}' is not in minictr yet`, {
      remedy: instead[`${program} ${typed}`] ?? `See '${program} --help' for those it has.`,
    })
  }
  const near = nearest(typed, candidates)
  const hint = near === undefined ? '' : ` (did you mean '${program} ${near}'?)`
  return usageError(`unknown command: ${program} ${typed}${hint}`, program)
}

function rowsOf(commands: CommandTable): [string, string][] {
  return Object.entries(commands).map(([name, { summary }]) => [name, summary])
}

function list(rows: [string, string][]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}
