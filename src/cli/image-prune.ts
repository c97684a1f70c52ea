// minictr image prune: removes the images that no container needs.

import { join } from 'node:path'
import { Command } from 'commander'
import { recordEvent } from '../containers/events.ts'
import { imagePruneFilter } from '../images/filter.ts'
import { LayerStore } from '../images/layers.ts'
import { pruneImages } from '../images/prune.ts'
import { ImageStore } from '../images/store.ts'
import type { GlobalOptions } from './command.ts'
import { humanSize } from './human.ts'
import { recordRemoval } from './image-events.ts'
import { imageUses } from './image-uses.ts'
import { confirm } from './question.ts'
import { repeatable } from './repeatable.ts'

type Flags = { all?: boolean; filter: string[]; force?: boolean }

/** The `image prune` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('prune')
    .summary('Remove unused images')
    .description('Remove the images that no container needs; those with a name only with --all')
    .usage('[OPTIONS]')
    .option('-a, --all', 'Remove all unused images, not just dangling ones')
    .option('--filter <filter>', 'Provide filter values (e.g. "until=<timestamp>")', repeatable, [])
    .option('-f, --force', 'Do not prompt for confirmation')
    .addHelpText(
      'after',
      `
Filters:
  until=TIME                     created before a date or a time ago ('24h')
  label=NAME, label=NAME=VALUE   only those; with label!=… all but those
  dangling=false                 as --all

Examples:
  minictr image prune
  minictr image prune -a -f --filter until=240h
  minictr image prune -a --filter label=use=test`,
    )
    .action((flags: Flags) => perform(flags, globals))
}

async function perform({ all = false, filter, force }: Flags, globals: GlobalOptions): Promise<void> {
  const isChosen = imagePruneFilter(filter, all)
  const which = all ? 'images without at least one container associated to them' : 'dangling images'
  if (!force && !(await confirm(`WARNING! This will remove all ${which}.`))) return
  const { text, sizeBytes } = await removedImages(isChosen, globals)
  process.stdout.write(`${text}Total reclaimed space: ${humanSize(sizeBytes, 4)}\n`)
}

/** Removes them; the text tells of those removed. */
export async function removedImages(
  isChosen: ReturnType<typeof imagePruneFilter>,
  globals: GlobalOptions,
): Promise<{ text: string; sizeBytes: number }> {
  const store = new ImageStore(join(globals.root, 'images'))
  const layers = new LayerStore(join(globals.root, 'layers'))
  const pruned = await pruneImages(isChosen, store, layers, () => imageUses(globals))
  for (const each of pruned.removed) recordRemoval(globals, each)
  const attributes = { reclaimed: String(pruned.sizeBytes) }
  recordEvent(globals, { type: 'image', action: 'prune', id: '', attributes })
  if (pruned.isContentKept)
    process.stderr.write('A pull is in progress: the next prune removes the content.\n')
  const lines = pruned.removed.flatMap(({ untagged, deleted }) => [
    ...untagged.map(name => `untagged: ${name}`),
    ...deleted.map(digest => `deleted: ${digest}`),
  ])
  return {
    text: lines.length > 0 ? `Deleted Images:\n${lines.join('\n')}\n\n` : '',
    sizeBytes: pruned.sizeBytes,
  }
}
