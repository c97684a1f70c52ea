// minictr rename: gives a container another name.

import { Command } from 'commander'
import { findContainer } from '../containers/lookup.ts'
import { recover } from '../containers/recover.ts'
import { planRename, renameContainer } from '../containers/rename.ts'
import type { Subject } from '../learn/explain.ts'
import { MinictrError } from '../system/error.ts'
import { hostExecutor } from '../system/monitor.ts'
import type { GlobalOptions } from './command.ts'
import { type WatchFlags, watchingOf, watchOptions } from './watch-options.ts'

export const saysLittle = true

/** The `rename` command of commander. */
export function command(globals: GlobalOptions): Command {
  const rename = new Command('rename')
    .summary('Rename a container')
    .description('Rename a container, running or not')
    .usage('[OPTIONS] CONTAINER NEW_NAME')
    .argument('<container>', 'a name, an id, or the beginning of an id')
    .argument('<new-name>', 'the name it has from now on')
  return watchOptions(rename)
    .addHelpText(
      'after',
      `
Examples:
  minictr rename calm_hopper web        another name for it
  minictr explain rename web old        which steps that takes, performing none`,
    )
    .action((name: string, newName: string, flags: WatchFlags) => perform(name, newName, flags, globals))
}

async function perform(
  name: string,
  newName: string,
  flags: WatchFlags,
  globals: GlobalOptions,
): Promise<void> {
  checkNames(name, newName)
  await recover(globals)
  const watch = await watchingOf(flags)
  const { executor, close } = hostExecutor()
  try {
    const container = findContainer(globals, name)
    await renameContainer(container, globals, executor, { name: newName, observer: watch?.observer })
  } finally {
    await watch?.finish()
    await close()
  }
}

/** What `explain rename` and `script rename` are about. */
export async function subject(
  [name = '', newName = '']: string[],
  _: object,
  globals: GlobalOptions,
): Promise<Subject> {
  checkNames(name, newName)
  const container = findContainer(globals, name)
  const plan = planRename(container, globals, newName)
  const facts = { names: `${container.name}, then ${newName}` }
  return { plan, summary: { title: 'Another name for a container', name: container.name, facts } }
}

function checkNames(name: string, newName: string): void {
  if (name === '' || newName === '') throw new MinictrError('Neither old nor new names may be empty')
}
