// minictr history, minictr image history: how an image was built, the last step first.

import { join } from 'node:path'
import { Command } from 'commander'
import { LayerStore } from '../images/layers.ts'
import { type Image, ImageStore } from '../images/store.ts'
import { visibleOn } from '../system/visible.ts'
import type { GlobalOptions } from './command.ts'
import { parseSwitch } from './flags/flag.ts'
import { humanDuration, humanSize } from './human.ts'
import { ellipsis } from './quoted.ts'
import { formatRows, type Row } from './table.ts'

type Flags = { format?: string; human: boolean; quiet?: boolean; trunc: boolean }

const TITLES = {
  ID: 'IMAGE',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  CreatedBy: 'CREATED BY',
  Size: 'SIZE',
  Comment: 'COMMENT',
}

const TABLE = 'table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}'
const EXACT_TABLE = 'table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}'
/** The ids of images that the steps before had made, on the machine where it was built. */
const MISSING = '<missing>'
const COMMAND_WIDTH = 45

/** The `history` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('history')
    .summary('Show the history of an image')
    .description('Show the history of an image: what each step of its build did, the last one first')
    .usage('[OPTIONS] IMAGE')
    .argument('<image>', 'name, name@digest, or id')
    .option('--format <string>', "'table', 'table TEMPLATE', 'json', or a Go template for each step")
    .option('-H, --human [boolean]', 'Print sizes and dates in human readable format', parseSwitch, true)
    .option('--no-trunc', "Don't truncate output")
    .option('-q, --quiet', 'Only show image IDs')
    .addHelpText(
      'after',
      `
Examples:
  minictr history debian
  minictr history --no-trunc --format '{{.CreatedBy}}' debian
  minictr history --human=false debian`,
    )
    .action((image: string, flags: Flags) => perform(image, flags, globals))
}

function perform(name: string, flags: Flags, { root }: GlobalOptions): void {
  const image = new ImageStore(join(root, 'images')).resolve(name)
  const rows = historyRows(image, new LayerStore(join(root, 'layers')), flags, Date.now())
  process.stdout.write(visibleOn(process.stdout, formatRows(rows, formatOf(flags), TITLES)))
}

function formatOf({ format = 'table', human, quiet }: Flags): string {
  if (quiet) return '{{.ID}}'
  if (format !== 'table') return format
  return human ? TABLE : EXACT_TABLE
}

/** The steps, newest first; those that changed files have the sizes of the image's layers. Source: moby, image_history.go. */
function historyRows(image: Image, layers: LayerStore, { human, trunc }: Flags, nowMs: number): Row[] {
  const sizes = layers.sizesOf(image).map(({ sizeBytes }) => sizeBytes)
  const steps = image.config.history ?? sizes.map(() => ({ created: image.config.created }))
  let layer = 0
  const rows = steps.map((step): Row => {
    const { created = '', created_by = '', comment = '', empty_layer } = step as HistoryStep
    const sizeBytes = empty_layer ? 0 : (sizes[layer++] ?? 0)
    const createdBy = created_by.replaceAll('\t', ' ')
    const createdAtMs = Date.parse(created)
    return {
      ID: MISSING,
      CreatedSince: Number.isNaN(createdAtMs) ? 'N/A' : `${humanDuration(nowMs - createdAtMs)} ago`,
      CreatedAt: Number.isNaN(createdAtMs)
        ? 'N/A'
        : new Date(createdAtMs).toISOString().replace('.000Z', 'Z'),
      CreatedBy: trunc ? ellipsis(createdBy, COMMAND_WIDTH) : createdBy,
      Size: human ? humanSize(sizeBytes) : String(sizeBytes),
      Comment: comment,
    }
  })
  const last = rows.at(-1)
  if (last) last.ID = trunc ? image.id.slice('sha256:'.length, 'sha256:'.length + 12) : image.id
  return rows.reverse()
}

type HistoryStep = NonNullable<Image['config']['history']>[number]
