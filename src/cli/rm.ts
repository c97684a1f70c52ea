// minictr rm: removes containers, with their writable layers and names.

import type { Command } from 'commander'
import { planRemove, removeContainer } from '../containers/remove.ts'
import { containerPaths, NoSuchContainerError } from '../containers/state.ts'
import type { Subject } from '../learn/explain.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'
import { actOnEach } from './each-name.ts'
import { oneContainer } from './planned-container.ts'
import { type WatchFlags, watchOptions } from './watch-options.ts'

type Flags = WatchFlags & { force?: boolean; link?: boolean; volumes?: boolean }

export const saysLittle = true

/** The `rm` command of commander. */
export async function command(globals: GlobalOptions): Promise<Command> {
  const { Command } = await import('commander')
  const rm = new Command('rm')
    .summary('Remove one or more containers')
    .description('Remove one or more containers')
    .usage('[OPTIONS] CONTAINER [CONTAINER...]')
    .argument('<container...>', 'names, ids, or beginnings of ids')
    .option('-f, --force', 'Force the removal of a running container (uses SIGKILL)')
    .option('-v, --volumes', 'Remove anonymous volumes associated with the container')
  rm.addOption(rm.createOption('-l, --link').hideHelp())
  return watchOptions(rm)
    .addHelpText(
      'after',
      `
Examples:
  minictr rm calm_hopper                by its name
  minictr rm 4e5f 91ab                  by the beginnings of their ids
  minictr rm -f web                     even while it runs
  minictr rm -v db                      with the volumes nobody named
  minictr rm $(minictr ps -aq)          all that do not run
  minictr explain rm -f web             which steps that takes, performing none`,
    )
    .action((names: string[], flags: Flags) => perform(names, flags, globals))
}

/** `rm` without flags. */
export function onNames(names: string[], globals: GlobalOptions): Promise<void> {
  return perform(names, {}, globals)
}

async function perform(names: string[], flags: Flags, globals: GlobalOptions): Promise<void> {
  const options = optionsOf(flags)
  const isFine = (error: unknown) => options.force && error instanceof NoSuchContainerError
  await actOnEach(
    names,
    flags,
    globals,
    async (container, executor, observer) => {
      return await removeContainer(container, globals, executor, { ...options, observer })
    },
    // With --force it is no failure that what is to be gone is gone: it is only told.
    isFine,
  )
}

function optionsOf({ force = false, link = false, volumes = false }: Flags) {
  if (link) {
    throw new MinictrError('--link: a link is no object of its own here, so there is none to be removed', {
      remedy: 'It goes with the container that was started with it.',
    })
  }
  return { force, withVolumes: volumes }
}

/** What `explain rm` and `script rm` are about. */
export async function subject(words: string[], flags: Flags, globals: GlobalOptions): Promise<Subject> {
  const container = oneContainer(words, globals)
  const plan = await planRemove(container, globals, optionsOf(flags))
  const { id, name, record } = container
  const volumes = record.mounts.filter(({ isAnonymous }) => isAnonymous).length
  const facts = {
    directory: containerPaths(globals, id).directory,
    ...(volumes > 0 && { volumes: `${volumes} that nobody named, ${flags.volumes ? 'removed' : 'kept'}` }),
  }
  return { plan, summary: { title: 'The removal of a container', name, facts } }
}
