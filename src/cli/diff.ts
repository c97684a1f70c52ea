// minictr diff: what a container has changed in the files of its image.

import { Command } from 'commander'
import { diffContainer } from '../containers/diff.ts'
import { findContainer } from '../containers/lookup.ts'
import { recover } from '../containers/recover.ts'
import { visibleOn } from '../system/visible.ts'
import type { GlobalOptions } from './command.ts'

/** The `diff` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('diff')
    .summary("Inspect changes to files or directories on a container's filesystem")
    .description("Inspect changes to files or directories on a container's filesystem")
    .usage('CONTAINER')
    .argument('<container>', 'name, id, or the beginning of an id')
    .addHelpText(
      'after',
      `
Each line is a letter and a path: A added, C changed, D deleted. What volumes hold
is not the container's and is left out.

Examples:
  minictr diff web
  minictr diff web | grep ^D         only what it deleted`,
    )
    .action((name: string) => perform(name, globals))
}

async function perform(name: string, globals: GlobalOptions): Promise<void> {
  await recover(globals)
  const changes = await diffContainer(findContainer(globals, name))
  const text = changes.map(({ kind, path }) => `${kind} ${path}\n`).join('')
  process.stdout.write(visibleOn(process.stdout, text))
}
