// minictr container inspect: all that is known about containers.

import { Command } from 'commander'
import { describeContainer } from '../containers/inspect.ts'
import { findContainer } from '../containers/lookup.ts'
import { recover } from '../containers/recover.ts'
import type { GlobalOptions } from './command.ts'
import { printInspected } from './inspected.ts'

type Flags = { format?: string; size?: boolean }

/** The `container inspect` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('inspect')
    .summary('Display detailed information on one or more containers')
    .description('Display detailed information on one or more containers')
    .usage('[OPTIONS] CONTAINER [CONTAINER...]')
    .argument('<container...>', 'names, ids, or beginnings of ids')
    .option('-f, --format <string>', "'json', or a Go template that is filled with each container")
    .option('-s, --size', 'Display total file sizes')
    .addHelpText(
      'after',
      `
Examples:
  minictr container inspect web
  minictr container inspect -f '{{.State.ExitCode}}' web
  minictr container inspect -s -f '{{.SizeRw}}' web`,
    )
    .action(async (names: string[], { format, size = false }: Flags) => {
      await recover(globals)
      const inspect = (name: string) => describeContainer(findContainer(globals, name), globals, { size })
      printInspected(names, inspect, format)
    })
}
