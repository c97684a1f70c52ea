// minictr volume ls: the volumes there are.

import { Command } from 'commander'
import { volumeUses } from '../containers/volume-uses.ts'
import { visibleOn } from '../system/visible.ts'
import { volumeFilter } from '../volumes/filter.ts'
import { VolumeStore } from '../volumes/store.ts'
import type { GlobalOptions } from './command.ts'
import { repeatable } from './repeatable.ts'
import { formatRows } from './table.ts'
import { VOLUME_TITLES, volumeRow } from './volume-row.ts'

type Flags = { filter?: string[]; format?: string; quiet?: boolean }

const TABLE = 'table {{.Driver}}\t{{.Name}}'

/** The `volume ls` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('ls')
    .summary('List volumes')
    .description('List volumes')
    .usage('[OPTIONS]')
    .option('-f, --filter <filter>', 'Provide filter values (e.g. "dangling=true")', repeatable)
    .option('--format <string>', "'table', 'table TEMPLATE', 'json', or a Go template for each volume")
    .option('-q, --quiet', 'Only display volume names')
    .addHelpText(
      'after',
      `
Filters:
  dangling=true|false          no container has it, or one has
  driver=local
  label=NAME, label=NAME=VALUE
  name=TEXT                    a part of the name

Examples:
  minictr volume ls
  minictr volume ls -q --filter dangling=true
  minictr volume ls --format 'table {{.Name}}\\t{{.Mountpoint}}'
  minictr volume ls --format json`,
    )
    .action((flags: Flags) => perform(flags, globals))
}

function perform({ filter = [], format, quiet }: Flags, globals: GlobalOptions): void {
  const store = new VolumeStore(globals.root)
  let uses: Map<string, string[]> | undefined
  const keep = volumeFilter(filter, name => {
    uses ??= volumeUses(globals)
    return uses.has(name)
  })
  const rows = store
    .list()
    .filter(keep)
    .map(volume => volumeRow(volume, store.dataOf(volume.name)))
  const plain = quiet ? '{{.Name}}' : TABLE
  const text = formatRows(rows, format === undefined || format === 'table' ? plain : format, VOLUME_TITLES)
  process.stdout.write(visibleOn(process.stdout, text))
}
