// minictr ps: the containers there are, and how each one is.

import { Command } from 'commander'
import { containerFilter, type Keep } from '../containers/filter.ts'
import { type Listed, listedOf } from '../containers/listed.ts'
import { findContainer, listActive, listContainers } from '../containers/lookup.ts'
import { recover } from '../containers/recover.ts'
import { layerBytes, writtenBytes } from '../containers/size.ts'
import type { GlobalOptions } from './command.ts'
import { CONTAINER_TITLES, containerRow, type RowContext } from './container-row.ts'
import { imageIds } from './image-ids.ts'
import { say, show } from './output.ts'
import { repeatable } from './repeatable.ts'
import { formatRows, type Row } from './table.ts'
import { parseWholeOf } from './whole-number.ts'

type Flags = {
  all?: boolean
  filter: string[]
  format?: string
  last: number
  latest?: boolean
  quiet?: boolean
  size?: boolean
  trunc: boolean
}

const TABLE = 'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}'

export const saysLittle = true

/** The `ps` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('ps')
    .summary('List containers')
    .description('List containers: those that run, or with --all those that have ended too')
    .usage('[OPTIONS]')
    .option('-a, --all', 'Show all containers (default shows just running)')
    .option('-f, --filter <filter>', 'Filter output based on conditions provided', repeatable, [])
    .option('--format <string>', "'table', 'table TEMPLATE', 'json', or a Go template for each container")
    .option(
      '-n, --last <int>',
      'Show n last created containers (includes all states)',
      parseWholeOf('-n, --last', 'minictr ps'),
      -1,
    )
    .option('-l, --latest', 'Show the latest created container (includes all states)')
    .option('--no-trunc', "Don't truncate output")
    .option('-q, --quiet', 'Only display container IDs')
    .option('-s, --size', 'Display total file sizes')
    .addHelpText(
      'after',
      `
Filters:
  id=, name=TEXT               the beginning of the id; a regular expression
  label=NAME, label=NAME=VALUE
  status=STATE                 created, restarting, running, paused, exited; as with --all
  exited=STATUS                ended with this exit status (with --all)
  ancestor=IMAGE               made of this image
  before=, since=CONTAINER     created earlier, or later, than that one
  volume=NAME or PATH          has this volume, or a mount from or at this path
  network=NAME
  publish=, expose=PORT[/PROTOCOL]
  health=STATUS                starting, healthy, unhealthy, none

Fields of templates:
  ID Image Command CreatedAt RunningFor Ports State Status Size Names Labels
  Label "NAME" Mounts LocalVolumes Networks

Examples:
  minictr ps                        what runs now
  minictr ps -a                     what has ended as well
  minictr ps -aq                    only the ids, for scripts
  minictr ps -a --filter status=exited --filter label=use=test
  minictr ps --format 'table {{.Names}}\\t{{.Status}}\\t{{.Label "use"}}'
  minictr ps --format json`,
    )
    .action((flags: Flags) => perform(flags, globals))
}

async function perform(flags: Flags, globals: GlobalOptions): Promise<void> {
  const imageId = imageIds(globals)
  const known = { findContainer: (text: string) => findContainer(globals, text), imageId }
  const keep = containerFilter(flags.filter, known)
  await recover(globals)
  const listed = chosen(flags, keep, globals)
  const context = { ...contextOf(flags, globals), imageId }
  await show(formatRows(rowsOf(listed, context), formatOf(flags), CONTAINER_TITLES))
}

/** One after the other: a thousand at once would be copied about by the garbage collector. */
function* rowsOf(listed: Listed[], context: RowContext): Iterable<Row> {
  for (const each of listed) yield containerRow(each, context)
}

/** Newest first. */
function chosen(flags: Flags, keep: Keep, globals: GlobalOptions): Listed[] {
  const limit = flags.latest ? 1 : flags.last
  const showsAll = flags.all || limit > 0 || flags.filter.some(each => /^\s*status\s*=/i.test(each))
  const listed: Listed[] = []
  for (const container of showsAll ? listContainers(globals) : listActive(globals)) {
    const each = listedOf(container, globals)
    if (!keep(each)) continue
    listed.push(each)
    if (listed.length === limit) break
  }
  return listed
}

function formatOf({ format = 'table', quiet, size }: Flags): string {
  if (quiet && format !== 'table') {
    say('stderr', 'WARNING: Ignoring custom format, because both --format and --quiet are set.\n')
  }
  if (quiet) return '{{.ID}}'
  if (format !== 'table') return format
  return size ? `${TABLE}\t{{.Size}}` : TABLE
}

/** With JSON sizes are only told where they are asked for: every file of a container has to be looked at. */
function contextOf({ format, size, trunc }: Flags, globals: GlobalOptions): Omit<RowContext, 'imageId'> {
  const measures = size || format !== 'json'
  return {
    nowMs: Date.now(),
    truncates: trunc,
    sizeOf: ({ container }) => ({
      writtenBytes: measures ? writtenBytes(container, globals) : 0,
      layerBytes: measures ? layerBytes(container) : 0,
    }),
  }
}
