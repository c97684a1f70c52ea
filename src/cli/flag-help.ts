// The help of a command whose flags are data: each under its heading, and lines to try.

import { Command, Option } from 'commander'
import { type FlagGroup, spelling } from './flags/flag.ts'
import { usageTitle } from './program.ts'

export type Help<Options> = {
  /** The command as typed. */
  name: string
  /** What follows its name. */
  usage: string
  summary: string
  groups: FlagGroup<Options>[]
  /** Lines between the flags and the examples. */
  remarks?: string[]
  examples: [line: string, about: string][]
}

/** The columns a page of help may have. */
export function helpColumns(): number {
  return process.stdout.columns || 100
}

/** The whole text. Flags that are refused or hidden are left out. */
export function flagHelp<Options>(help: Help<Options>): string {
  const { name, usage, summary, groups, remarks = [], examples } = help
  const lines = ['', ...remarks, ...(remarks.length ? [''] : []), 'Examples:']
  const command = new Command(name)
    .usage(usage)
    .description(summary)
    .helpOption('--help', 'Print usage')
    .configureHelp({ showGlobalOptions: false, helpWidth: helpColumns(), styleTitle: usageTitle })
    .addHelpText(
      'after',
      [...lines, ...examples.flatMap(([line, about]) => [`  ${line}`, `      ${about}`])].join('\n'),
    )
  for (const { title, flags } of groups) {
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
