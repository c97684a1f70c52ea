// minictr images, minictr image ls: the images there are.

import { join } from 'node:path'
import { Command } from 'commander'
import { type CatalogImage, listImages } from '../images/catalog.ts'
import { imageFilter, referenceFilter } from '../images/filter.ts'
import { LayerStore, SETTLING_AGE_MS } from '../images/layers.ts'
import { ImageStore } from '../images/store.ts'
import { visibleOn } from '../system/visible.ts'
import type { GlobalOptions } from './command.ts'
import { goTime, humanDuration, humanSize } from './human.ts'
import { IMAGE_TITLES, namesOf } from './image-row.ts'
import { repeatable } from './repeatable.ts'
import { formatRows } from './table.ts'

type Flags = {
  all?: boolean
  digests?: boolean
  filter?: string[]
  format?: string
  trunc: boolean
  quiet?: boolean
}

type Row = Record<keyof typeof IMAGE_TITLES, string>

const UNKNOWN = 'N/A'
const TABLE = 'table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}'
const TABLE_WITH_DIGESTS =
  'table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}'

/** The `images` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('images')
    .summary('List images')
    .description('List images')
    .usage('[OPTIONS] [REPOSITORY[:TAG]]')
    .argument('[repository]', 'only images of this name; * and ? stand for other characters')
    .option('-a, --all', 'Show all images (there are no intermediate ones here)')
    .option('--digests', 'Show digests')
    .option('-f, --filter <filter>', 'Filter output based on conditions provided', repeatable)
    .option('--format <string>', "'table', 'table TEMPLATE', 'json', or a Go template for each image")
    .option('--no-trunc', "Don't truncate output")
    .option('-q, --quiet', 'Only show image IDs')
    .addHelpText(
      'after',
      `
Filters:
  reference=PATTERN            the name fits: 'debian', 'localhost:5000/*/*:tri?ie'
  dangling=true|false          has no name any more, or has one
  label=NAME, label=NAME=VALUE
  before=IMAGE, since=IMAGE    created earlier, or later, than that image
  until=TIME                   created before a date or a time ago ('24h')

Examples:
  minictr images
  minictr images debian
  minictr images --filter dangling=true -q
  minictr images --format '{{.Repository}}:{{.Tag}} {{.Size}}'
  minictr images --format 'table {{.ID}}\\t{{.CreatedAt}}'
  minictr images --format json`,
    )
    .action((repository: string | undefined, flags: Flags) => perform(repository, flags, globals))
}

async function perform(repository: string | undefined, flags: Flags, globals: GlobalOptions): Promise<void> {
  const store = new ImageStore(join(globals.root, 'images'))
  const layers = new LayerStore(join(globals.root, 'layers'))
  const keep = imageFilter(flags.filter ?? [], store)
  const named = repository === undefined ? () => true : referenceFilter(repository)
  const images = listImages(store).filter(image => keep(image) && named(image))
  const rows = images.flatMap(image => rowsOf(image, layers, flags, repository))
  const text = formatRows(unique(rows, flags), formatOf(flags), IMAGE_TITLES)
  process.stdout.write(visibleOn(process.stdout, text))
  await layers.settle(SETTLING_AGE_MS)
}

function formatOf({ format, quiet, digests }: Flags): string {
  if (format !== undefined && format !== 'table') return format
  if (quiet) return '{{.ID}}'
  return digests ? TABLE_WITH_DIGESTS : TABLE
}

/** Ids alone are told once each, however many names an image has. */
function unique(rows: Row[], { quiet, format }: Flags): Row[] {
  if (!quiet || format !== undefined) return rows
  return [...new Map(rows.map(row => [row.ID, row])).values()]
}

/** A row for each name of the image; one without a name where it has none. */
function rowsOf(
  image: CatalogImage,
  layers: LayerStore,
  flags: Flags,
  repository: string | undefined,
): Row[] {
  const { createdAtMs } = image
  const common = {
    ID: flags.trunc ? image.id.slice('sha256:'.length, 'sha256:'.length + 12) : image.id,
    CreatedSince: createdAtMs === undefined ? UNKNOWN : `${humanDuration(Date.now() - createdAtMs)} ago`,
    CreatedAt: createdAtMs === undefined ? UNKNOWN : goTime(createdAtMs),
    Size: humanSize(layers.sizeOf(image)),
    Containers: UNKNOWN,
    SharedSize: UNKNOWN,
    UniqueSize: UNKNOWN,
  }
  const shows = (tag: string) => repository === undefined || fits(tag, repository)
  return namesOf(image, shows).map(names => ({ ...common, ...names }))
}

function fits(tag: string, repository: string): boolean {
  return referenceFilter(repository)({ tags: [tag], digests: [] })
}
