// minictr images, minictr image ls: the images there are.

import { join } from 'node:path'
import { Command } from 'commander'
import { type CatalogImage, listImages } from '../images/catalog.ts'
import { imageFilter, referenceFilter } from '../images/filter.ts'
import { LayerStore, SETTLING_AGE_MS } from '../images/layers.ts'
import { familiarRepository, parseReference } from '../images/reference.ts'
import { ImageStore } from '../images/store.ts'
import type { GlobalOptions } from './command.ts'
import { humanDuration, humanSize } from './human.ts'
import { formatRows } from './table.ts'

type Flags = {
  all?: boolean
  digests?: boolean
  filter?: string[]
  format?: string
  trunc: boolean
  quiet?: boolean
}

const TITLES = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  Containers: 'CONTAINERS',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
}
type Row = Record<keyof typeof TITLES, string>

const NONE = '<none>'
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
    .option('-f, --filter <filter>', 'Filter output based on conditions provided', collect)
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

function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}

async function perform(repository: string | undefined, flags: Flags, globals: GlobalOptions): Promise<void> {
  const store = new ImageStore(join(globals.root, 'images'))
  const layers = new LayerStore(join(globals.root, 'layers'))
  const keep = imageFilter(flags.filter ?? [], store)
  const named = repository === undefined ? () => true : referenceFilter(repository)
  const images = listImages(store).filter(image => keep(image) && named(image))
  const rows = images.flatMap(image => rowsOf(image, layers, flags, repository))
  process.stdout.write(formatRows(unique(rows, flags), formatOf(flags), TITLES))
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
    CreatedAt: createdAtMs === undefined ? UNKNOWN : timestamp(createdAtMs),
    Size: humanSize(layers.sizeOf(image)),
    Containers: UNKNOWN,
    SharedSize: UNKNOWN,
    UniqueSize: UNKNOWN,
  }
  const shown = repository === undefined ? image.tags : image.tags.filter(tag => fits(tag, repository))
  const tagged = shown.map(name => ({ ...common, ...split(name), Digest: digestOf(name, image) }))
  if (tagged.length > 0) return tagged
  const digests = new Map(
    image.digests.map(name => [split(name).Repository, name.slice(name.indexOf('@') + 1)]),
  )
  if (digests.size === 0) return [{ ...common, Repository: NONE, Tag: NONE, Digest: NONE }]
  return [...digests].map(([name, digest]) => ({ ...common, Repository: name, Tag: NONE, Digest: digest }))
}

function fits(tag: string, repository: string): boolean {
  return referenceFilter(repository)({ tags: [tag], digests: [] })
}

function split(name: string): { Repository: string; Tag: string } {
  const reference = parseReference(name)
  return { Repository: familiarRepository(reference), Tag: reference.tag ?? NONE }
}

function digestOf(name: string, { digests }: CatalogImage): string {
  const { Repository } = split(name)
  const known = digests.find(digest => digest.startsWith(`${Repository}@`))
  return known === undefined ? NONE : known.slice(known.indexOf('@') + 1)
}

/** As Go prints a time: `2026-11-21 09:30:00 +0000 UTC`. */
function timestamp(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`
}
