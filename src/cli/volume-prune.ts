// minictr volume prune: removes the volumes that no container has.

import { Command } from 'commander'
import { recordEvent } from '../containers/events.ts'
import { volumeUses } from '../containers/volume-uses.ts'
import { sizeOfTree } from '../system/tree-size.ts'
import { pruneFilter } from '../volumes/filter.ts'
import { VolumeStore } from '../volumes/store.ts'
import type { GlobalOptions } from './command.ts'
import { humanSize } from './human.ts'
import { confirm } from './question.ts'
import { repeatable } from './repeatable.ts'

type Flags = { all?: boolean; filter?: string[]; force?: boolean }

/** The `volume prune` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('prune')
    .summary('Remove unused local volumes')
    .description('Remove the volumes that no container has; those with a name only with --all')
    .usage('[OPTIONS]')
    .option('-a, --all', 'Remove all unused volumes, not just anonymous ones')
    .option('--filter <filter>', 'Provide filter values (e.g. "label=<label>")', repeatable)
    .option('-f, --force', 'Do not prompt for confirmation')
    .addHelpText(
      'after',
      `
Filters:
  all=true                       as --all
  label=NAME, label=NAME=VALUE   only those; with label!=… all but those

Examples:
  minictr volume prune
  minictr volume prune --all --force --filter label=use=cache`,
    )
    .action((flags: Flags) => perform(flags, globals))
}

async function perform({ all, filter = [], force }: Flags, globals: GlobalOptions): Promise<void> {
  const keep = pruneFilter(filter)
  const takesNamed = all === true || filter.some(each => each.startsWith('all='))
  if (!force) {
    const which = takesNamed ? 'all' : 'anonymous'
    const warning = `WARNING! This will remove ${which} local volumes not used by at least one container.`
    if (!(await confirm(warning))) return
  }
  const { names, sizeBytes } = await pruneVolumes(
    globals,
    volume => (takesNamed || volume.isAnonymous) && keep(volume),
  )
  if (names.length > 0) process.stdout.write(`Deleted Volumes:\n${names.join('\n')}\n\n`)
  process.stdout.write(`Total reclaimed space: ${humanSize(sizeBytes, 4)}\n`)
}

/** Removes the volumes that no container has and `chosen` names. Throws MinictrError where the kernel refuses. */
export async function pruneVolumes(
  globals: GlobalOptions,
  chosen: ReturnType<typeof pruneFilter>,
): Promise<{ names: string[]; sizeBytes: number }> {
  const store = new VolumeStore(globals.root)
  const uses = volumeUses(globals)
  const unused = store.list().filter(volume => !uses.has(volume.name) && chosen(volume))
  const sizes = new Map(unused.map(({ name }) => [name, sizeOfTree(store.dataOf(name))]))
  // Containers that have begun while the sizes were found out keep theirs.
  const names = sizes.size > 0 ? await store.remove([...sizes.keys()], () => volumeUses(globals)) : []
  const sizeBytes = names.reduce((sum, name) => sum + sizes.get(name)!, 0)
  for (const id of names) {
    recordEvent(globals, { type: 'volume', action: 'destroy', id, attributes: { driver: 'local' } })
  }
  const attributes = { reclaimed: String(sizeBytes) }
  recordEvent(globals, { type: 'volume', action: 'prune', id: '', attributes })
  return { names, sizeBytes }
}
