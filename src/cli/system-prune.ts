// minictr system prune: removes at once what nobody uses of everything.

import { Command } from 'commander'
import { containerPruneFilter } from '../containers/filter.ts'
import { parseMoment } from '../containers/moment.ts'
import { pruneNetworks } from '../containers/network-removal.ts'
import { imagePruneFilter } from '../images/filter.ts'
import { pruneFilter as networkPruneFilter } from '../networks/filter.ts'
import { MinictrError } from '../system/error.ts'
import { pruneFilter as volumePruneFilter } from '../volumes/filter.ts'
import type { GlobalOptions } from './command.ts'
import { removedContainers } from './container-prune.ts'
import { humanSize } from './human.ts'
import { removedImages } from './image-prune.ts'
import { confirm } from './question.ts'
import { repeatable } from './repeatable.ts'
import { pruneVolumes } from './volume-prune.ts'

type Flags = { all?: boolean; filter: string[]; force?: boolean; volumes?: boolean }

/** What of one kind was removed, as a text to print. */
type Removal = { text: string; sizeBytes: number }

/** The `system prune` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('prune')
    .summary('Remove unused data')
    .description('Remove the containers that do not run, and the networks and images that no container needs')
    .usage('[OPTIONS]')
    .option('-a, --all', 'Remove all unused images not just dangling ones')
    .option('--filter <filter>', 'Provide filter values (e.g. "label=<key>=<value>")', repeatable, [])
    .option('-f, --force', 'Do not prompt for confirmation')
    .option('--volumes', 'Prune anonymous volumes')
    .addHelpText(
      'after',
      `
Filters:
  until=TIME                     created before a date or a time ago ('24h'); not with --volumes
  label=NAME, label=NAME=VALUE   only those; with label!=… all but those

Examples:
  minictr system prune
  minictr system prune -a --volumes --force
  minictr system prune -a --filter until=240h`,
    )
    .action((flags: Flags) => perform(flags, globals))
}

async function perform(flags: Flags, globals: GlobalOptions): Promise<void> {
  const { all = false, filter, force, volumes = false } = flags
  if (volumes && filter.some(each => /^\s*until\s*=/i.test(each))) {
    throw new MinictrError('ERROR: The "until" filter is not supported with "--volumes"')
  }
  const nowMs = Date.now()
  const isContainerChosen = containerPruneFilter(filter, nowMs)
  const isNetworkChosen = networkPruneFilter(filter, text => parseMoment(text, 'until', nowMs))
  const isImageChosen = imagePruneFilter(filter, all)
  if (!force && !(await confirm(warningText(flags)))) return
  const removals = [
    await removedContainers(isContainerChosen, globals),
    await removedNetworks(isNetworkChosen, filter.length === 0, globals),
    ...(volumes ? [await removedVolumes(filter, globals)] : []),
    await removedImages(isImageChosen, globals),
  ]
  for (const { text } of removals) process.stdout.write(text)
  const sizeBytes = removals.reduce((sum, removal) => sum + removal.sizeBytes, 0)
  process.stdout.write(`Total reclaimed space: ${humanSize(sizeBytes, 4)}\n`)
}

async function removedNetworks(
  isChosen: ReturnType<typeof networkPruneFilter>,
  withDefault: boolean,
  globals: GlobalOptions,
): Promise<Removal> {
  const names = await pruneNetworks(globals, { keep: isChosen, withDefault })
  return { text: names.length > 0 ? `Deleted Networks:\n${names.join('\n')}\n\n` : '', sizeBytes: 0 }
}

async function removedVolumes(filter: string[], globals: GlobalOptions): Promise<Removal> {
  const isChosen = volumePruneFilter(filter)
  const { names, sizeBytes } = await pruneVolumes(globals, volume => volume.isAnonymous && isChosen(volume))
  return { text: names.length > 0 ? `Deleted Volumes:\n${names.join('\n')}\n\n` : '', sizeBytes }
}

/** What will go, as Docker lists it. Source: docker/cli, system/prune.go. */
function warningText({ all, filter, volumes }: Flags): string {
  const what = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
    all ? 'all images without at least one container associated to them' : 'all dangling images',
  ]
  const list = (items: string[]) => items.map(item => `  - ${item}\n`).join('')
  const filters = filter.length > 0 ? `\n  Items to be pruned will be filtered with:\n${list(filter)}` : ''
  return `WARNING! This will remove:\n${list(what)}${filters}`
}
