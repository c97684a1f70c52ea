// minictr system uninstall-service: takes away what install-service has put in place.

import { Command } from 'commander'
import { MinictrError } from '../system/error.ts'
import { isBootedWithSystemd, reloadSystemd, UNIT, UNIT_DIRECTORY, uninstallUnit } from '../system/systemd.ts'
import type { GlobalOptions } from './command.ts'

type Flags = { directory: string }

/** The `system uninstall-service` command of commander. */
export function command(_: GlobalOptions): Command {
  return new Command('uninstall-service')
    .usage('[OPTIONS]')
    .summary('Have containers start at no boot any more')
    .description(`Disable the unit ${UNIT} and remove it; containers that run go on`)
    .option('--directory <directory>', 'Where units are', UNIT_DIRECTORY)
    .addHelpText(
      'after',
      `
Examples:
  minictr system uninstall-service`,
    )
    .action(({ directory }: Flags) => {
      if (!uninstallUnit(directory)) {
        throw new MinictrError(`${directory} has no ${UNIT}`, {
          remedy: 'minictr system install-service puts one there.',
        })
      }
      if (directory === UNIT_DIRECTORY && isBootedWithSystemd()) reloadSystemd()
    })
}
