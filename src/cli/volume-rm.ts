// minictr volume rm: removes volumes with all that is in them.

import { Command } from 'commander'
import { recordEvent } from '../containers/events.ts'
import { volumeUses } from '../containers/volume-uses.ts'
import { MinictrError } from '../system/error.ts'
import { VolumeStore } from '../volumes/store.ts'
import type { GlobalOptions } from './command.ts'
import { removeEach } from './remove-each.ts'
import { findVolume } from './volume-inspect.ts'

/** The `volume rm` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('rm')
    .summary('Remove one or more volumes')
    .description('Remove one or more volumes. You cannot remove a volume that is in use by a container.')
    .usage('[OPTIONS] VOLUME [VOLUME...]')
    .argument('<volume...>', 'names')
    .option('-f, --force', 'Do not mind volumes that are not there')
    .addHelpText(
      'after',
      `
Examples:
  minictr volume rm data
  minictr volume rm $(minictr volume ls -q --filter dangling=true)`,
    )
    .action((names: string[], flags: { force?: boolean }) => perform(names, flags.force === true, globals))
}

async function perform(names: string[], force: boolean, globals: GlobalOptions): Promise<void> {
  const store = new VolumeStore(globals.root)
  await removeEach(names, async name => {
    if (!force || store.read(name) !== undefined) await remove(store, name, globals)
    return true
  })
}

async function remove(store: VolumeStore, name: string, globals: GlobalOptions): Promise<void> {
  const { driver } = findVolume(store, name)
  const ids = volumeUses(globals).get(name) ?? []
  if (ids.length > 0) {
    throw new MinictrError(`remove ${name}: volume is in use - [${ids.join(', ')}]`, {
      remedy: `Remove what has it first: minictr rm ${ids.map(id => id.slice(0, 12)).join(' ')}`,
    })
  }
  const [removed] = await store.remove([name], () => volumeUses(globals))
  // A container has begun to use it just now: that is said then.
  if (removed === undefined) return await remove(store, name, globals)
  recordEvent(globals, { type: 'volume', action: 'destroy', id: name, attributes: { driver } })
}
