// What minictr says about itself: its version, its commands, and the name that was probably meant.

import { MinictrError } from '../system/error.ts'
import type { CommandTable } from './command.ts'
import { type Found, groups, sections } from './commands.ts'
import { usageError } from './usage-error.ts'

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
  if (flag !== '--help' && flag !== '-h') throw usageError(`unknown flag: ${flag}`, `minictr ${name}`)
  return [
    `Usage:  minictr ${name} COMMAND`,
    summary,
    `Commands:\n${list(rowsOf(commands))}`,
    `Run 'minictr ${name} COMMAND --help' for more information on a command.`,
  ].join('\n\n')
}

/** `minictr version 0.1.0`, the version of the package. */
export async function versionText(): Promise<string> {
  const { default: description } = await import('../../package.json', { with: { type: 'json' } })
  return `minictr version ${description.version}`
}

/** Docker's commands that minictr has not, by the word that they follow; each is refused by name. */
const ofDocker: { [program: string]: string } = {
  minictr:
    'attach build builder buildx commit compose container context cp create diff events exec export history import ' +
    'info inspect kill load logs manifest network pause plugin port push rename restart save search start stats stop ' +
    'swarm tag top trust unpause update version volume wait',
  'minictr image': 'build history import load prune push save tag',
  'minictr system': 'df events info prune',
}

const instead: { [command: string]: string } = {
  'minictr container': 'run, ps and rm are there without it: minictr ps -a',
  'minictr inspect': 'Images can be inspected: minictr image inspect IMAGE',
  'minictr kill': 'minictr rm --force CONTAINER ends a container and removes it.',
  'minictr stop': 'minictr rm --force CONTAINER ends a container and removes it.',
  'minictr version': 'Its version: minictr --version',
}

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

/** The candidate that needs the fewest corrections to become `word`, if it needs few. */
export function nearest(word: string, candidates: string[]): string | undefined {
  const ranked = candidates
    .map(candidate => ({ candidate, corrections: distance(word, candidate) }))
    .sort((a, b) => a.corrections - b.corrections)
  const best = ranked[0]
  if (best === undefined) return undefined
  return best.corrections <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined
}

/** Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let i = 1; i <= a.length; i++) {
    rows.push([i])
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      rows[i]!.push(
        Math.min(
          replaced,
          rows[i - 1]![j]! + 1,
          rows[i]![j - 1]! + 1,
          swapped ? rows[i - 2]![j - 2]! + 1 : replaced,
        ),
      )
    }
  }
  return rows[a.length]![b.length]!
}

function rowsOf(commands: CommandTable): [string, string][] {
  return Object.entries(commands).map(([name, { summary }]) => [name, summary])
}

function list(rows: [string, string][]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}
