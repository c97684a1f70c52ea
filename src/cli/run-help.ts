// `minictr run --help`: every flag under its heading, and lines to try.

import { Command, Option } from 'commander'
import type { Flag } from './flags/flag.ts'
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
  const command = new Command(name)
    .usage('[OPTIONS] IMAGE [COMMAND] [ARG...]')
    .description('Create and run a new container from an image')
    .helpOption('--help', 'Print usage')
    .configureHelp({ showGlobalOptions: false, helpWidth: process.stdout.columns || 100 })
    .addHelpText(
      'after',
      `\nExamples:\n${examples.map(([line, about]) => `  ${line}\n      ${about}`).join('\n')}\n`,
    )
  for (const { title, flags } of runFlags) {
    for (const flag of flags) {
      if (flag.isHidden) continue
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

function spelling<Options>(flag: Flag<Options>): string {
  const value = 'takes' in flag && flag.takes !== undefined ? ` <${flag.takes}>` : ''
  return `${flag.short ? `-${flag.short}, ` : ''}--${flag.name}${value}`
}
