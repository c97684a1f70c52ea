// minictr system install-service: has systemd start containers at each boot.

import { Command } from 'commander'
import { ownProgram } from '../containers/own-commands.ts'
import { MinictrError } from '../system/error.ts'
import {
  installUnit,
  isBootedWithSystemd,
  reloadSystemd,
  startUnit,
  UNIT,
  UNIT_DIRECTORY,
  unitText,
} from '../system/systemd.ts'
import type { GlobalOptions } from './command.ts'

type Flags = { directory?: string; print?: boolean }

/** The `system install-service` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('install-service')
    .usage('[OPTIONS]')
    .summary('Have systemd start containers at each boot')
    .description(
      `Write the unit ${UNIT}, enable and start it: systemd then calls 'minictr system boot' now and when the machine has booted, and 'minictr system shutdown' when it goes down`,
    )
    .option('--directory <directory>', `Where units are (default ${UNIT_DIRECTORY})`)
    .option('--print', 'Print the unit, and do nothing')
    .addHelpText(
      'after',
      `
The unit names this minictr, with the --root, --run-root and --config given to it here.
It is started now, since systemd stops nothing that it has not started: containers whose restart policy
asks for it at a boot start, unless they run. With --directory it counts from the next boot on.

Examples:
  minictr system install-service
  minictr system install-service --print
  minictr system install-service --directory /mnt/etc/systemd/system    for another root`,
    )
    .action((flags: Flags) => perform(flags, globals))
}

function perform({ directory, print }: Flags, globals: GlobalOptions): void {
  const program = ownProgram(globals)
  const text = unitText(program)
  if (print) {
    process.stdout.write(text)
    return
  }
  if (directory === undefined && !isBootedWithSystemd()) throw hasOtherInit(program)
  installUnit(directory ?? UNIT_DIRECTORY, text)
  if (directory === undefined) {
    reloadSystemd()
    startUnit()
  }
  process.stdout.write(`${directory ?? UNIT_DIRECTORY}/${UNIT}\n`)
}

function hasOtherInit(program: string[]): MinictrError {
  const commands = ['boot', 'shutdown'].map(word => [...program, 'system', word].join(' '))
  return new MinictrError('this machine was not booted with systemd', {
    remedy: `Have your init call, when the machine has booted and when it goes down:\n  ${commands.join('\n  ')}`,
  })
}
