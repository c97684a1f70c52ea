// `minictr run --help`: every flag under its heading, and lines to try.

import { Command, Option } from 'commander'
import { wrap } from '../learn/page.ts'
import { type Flag, nameOf } from './flags/flag.ts'
import { refusedFlags } from './flags/refused.ts'
import { usageTitle } from './program.ts'
import { runFlags } from './run-flags.ts'

const examples: [line: string, about: string][] = [
  ['minictr run --rm -it debian:trixie bash', 'a shell in Debian, gone when you leave it'],
  ['minictr run --rm --network host debian:trixie apt-get update', "with this host's network"],
  ['minictr run --rm -v "$PWD":/src:ro -w /src debian:trixie ls -l', 'this directory, to read only'],
  ['minictr run --rm -m 256m --cpus 0.5 --pids-limit 64 debian:trixie sh', 'with limits'],
  ['minictr run --rm --read-only --tmpfs /tmp --cap-drop ALL debian:trixie id', 'with little power'],
  ['minictr run --rm --step debian:trixie true', 'one step at a time'],
]

/** The text of `minictr run --help`. `name` is the command as typed. */
export function runHelp(name = 'minictr run'): string {
  const columns = process.stdout.columns || 100
  const command = new Command(name)
    .usage('[OPTIONS] IMAGE [COMMAND] [ARG...]')
    .description('Create and run a new container from an image')
    .helpOption('--help', 'Print usage')
    .configureHelp({ showGlobalOptions: false, helpWidth: columns, styleTitle: usageTitle })
    .addHelpText('after', ['', ...refusals(columns), '', ...exampleLines()].join('\n'))
  for (const { title, flags } of runFlags) {
    for (const flag of flags) {
      if (flag.isHidden || 'refuses' in flag) continue
      command.addOption(new Option(spelling(flag), flag.about).helpGroup(`${title}:`))
    }
  }
  let text = ''
  command.configureOutput({
    writeOut: part => {
      text += part
    },
  })
  command.outputHelp()
  return text
}

/** What Docker has and minictr has not: the flags of one reason together, with the reason below. */
function refusals(columns: number): string[] {
  const flags = refusedFlags.flags.flatMap(flag => ('refuses' in flag && !flag.isHidden ? [flag] : []))
  const reasons = [...new Set(flags.map(({ refuses }) => refuses))]
  return [
    `${refusedFlags.title}:`,
    ...reasons.flatMap(reason => {
      const names = flags.filter(({ refuses }) => refuses === reason).map(nameOf)
      return [
        ...wrap(names.join(', '), columns - 2).map(line => `  ${line}`),
        ...wrap(reason, columns - 6).map(line => `      ${line}`),
      ]
    }),
  ]
}

function exampleLines(): string[] {
  return ['Examples:', ...examples.flatMap(([line, about]) => [`  ${line}`, `      ${about}`])]
}

function spelling<Options>(flag: Flag<Options>): string {
  const value = 'takes' in flag && flag.takes !== undefined ? ` <${flag.takes}>` : ''
  return `${flag.short ? `-${flag.short}, ` : ''}--${flag.name}${value}`
}
