// minictr system df: how much of the disk everything takes, and what a prune would give back.

import { Command } from 'commander'
import {
  type DiskUsage,
  type KindUsage,
  readDiskUsage,
  type UsedContainer,
  type UsedImage,
  type UsedVolume,
} from '../containers/disk-usage.ts'
import { recover } from '../containers/recover.ts'
import { MinictrError } from '../system/error.ts'
import { visibleJson, visibleOn } from '../system/visible.ts'
import type { GlobalOptions } from './command.ts'
import { CONTAINER_TITLES, containerRow } from './container-row.ts'
import { goTime, humanDuration, humanSize } from './human.ts'
import { imageIds } from './image-ids.ts'
import { IMAGE_TITLES, namesOf } from './image-row.ts'
import { formatRows, type Row } from './table.ts'
import { compileTemplate } from './template.ts'
import { VOLUME_TITLES, volumeRow } from './volume-row.ts'

type Flags = { format?: string; verbose?: boolean }

const TITLES = {
  Type: 'TYPE',
  TotalCount: 'TOTAL',
  Active: 'ACTIVE',
  Size: 'SIZE',
  Reclaimable: 'RECLAIMABLE',
}

const TABLE = 'table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}'
const IMAGES =
  'table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}'
const CONTAINERS =
  'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}'
const VOLUMES = 'table {{.Name}}\t{{.Links}}\t{{.Size}}'

/** The `system df` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('df')
    .summary('Show minictr disk usage')
    .description('Show how much of the disk images, containers and volumes take')
    .usage('[OPTIONS]')
    .option('--format <string>', "'table', 'table TEMPLATE', 'json', or a Go template for each line")
    .option('-v, --verbose', 'Show detailed information on space usage')
    .addHelpText(
      'after',
      `
What images take counts the compressed blobs they came as, which the store keeps
beside their unpacked layers; the list of -v shows the layers alone. A container's
size is what it has written itself.

Fields of templates:
  Type TotalCount Active Size Reclaimable; with -v lists of Images, Containers, Volumes

Examples:
  minictr system df
  minictr system df -v
  minictr system df --format '{{.Type}}: {{.Reclaimable}}'
  minictr system df -v --format '{{range .Volumes}}{{println .Name .Size}}{{end}}'`,
    )
    .action((flags: Flags) => perform(flags, globals))
}

async function perform({ format = 'table', verbose }: Flags, globals: GlobalOptions): Promise<void> {
  if (verbose && format !== 'table' && format.startsWith('table')) {
    throw new MinictrError('-v shows several lists, which one table has no place for', {
      remedy: 'Give a template without `table`, json, or leave -v out.',
    })
  }
  await recover(globals)
  const usage = readDiskUsage(globals)
  const text = verbose ? verboseText(usage, format, globals) : summaryText(usage, format)
  process.stdout.write(visibleOn(process.stdout, text))
}

function summaryText({ ofImages, ofContainers, ofVolumes }: DiskUsage, format: string): string {
  const rows = [
    kindRow('Images', ofImages),
    kindRow('Containers', ofContainers),
    kindRow('Local Volumes', ofVolumes),
    kindRow('Build Cache', { count: 0, active: 0, sizeBytes: 0, reclaimableBytes: 0 }),
  ]
  return formatRows(rows, format === 'table' ? TABLE : format, TITLES)
}

function kindRow(type: string, { count, active, sizeBytes, reclaimableBytes }: KindUsage): Row {
  const share = sizeBytes > 0 ? ` (${Math.floor((reclaimableBytes * 100) / sizeBytes)}%)` : ''
  return {
    Type: type,
    TotalCount: String(count),
    Active: String(active),
    Size: humanSize(sizeBytes, 4),
    Reclaimable: `${humanSize(reclaimableBytes, 4)}${share}`,
  }
}

function verboseText(usage: DiskUsage, format: string, globals: GlobalOptions): string {
  const isTable = format === 'table'
  const nowMs = Date.now()
  const images = usage.images.flatMap(image => imageRows(image, isTable, nowMs))
  const imageId = imageIds(globals)
  const containers = usage.containers.map(each => ofContainer(each, isTable, nowMs, imageId))
  const volumes = usage.volumes.map(ofVolume)
  if (isTable) {
    const part = (what: string, rows: Row[], template: string, titles: Row) =>
      `${what} space usage:\n\n${formatRows(rows, template, titles)}\n`
    return [
      part('Images', images, IMAGES, IMAGE_TITLES),
      part('Containers', containers, CONTAINERS, CONTAINER_TITLES),
      part('Local Volumes', volumes, VOLUMES, VOLUME_TITLES),
      'Build cache usage: 0B\n',
    ].join('')
  }
  const lists = { Images: images, Containers: containers, Volumes: volumes, BuildCache: [] }
  return format === 'json'
    ? `${visibleJson(JSON.stringify(lists))}\n`
    : compileTemplate(format.replaceAll('\\t', '\t').replaceAll('\\n', '\n'))(lists)
}

/** A line for each name of the image. */
function imageRows(used: UsedImage, truncates: boolean, nowMs: number): Row[] {
  const { image, sizeBytes, share, containers } = used
  const { id, createdAtMs } = image
  return namesOf(image).map(names => ({
    ...names,
    ID: truncates ? id.slice('sha256:'.length, 'sha256:'.length + 12) : id,
    CreatedSince: createdAtMs === undefined ? 'N/A' : `${humanDuration(nowMs - createdAtMs)} ago`,
    CreatedAt: createdAtMs === undefined ? 'N/A' : goTime(createdAtMs),
    Size: humanSize(sizeBytes),
    SharedSize: humanSize(share.sharedBytes, 4),
    UniqueSize: humanSize(share.uniqueBytes, 4),
    Containers: String(containers),
  }))
}

function ofContainer(
  used: UsedContainer,
  truncates: boolean,
  nowMs: number,
  imageId: (name: string) => string | undefined,
): Row {
  const sizeOf = () => ({ writtenBytes: used.sizeBytes, layerBytes: 0 })
  const row = containerRow(used, { nowMs, truncates, imageId, sizeOf })
  return { ...row, Size: humanSize(used.sizeBytes) }
}

function ofVolume({ volume, mountpoint, sizeBytes, containers }: UsedVolume): Row {
  return {
    ...volumeRow(volume, mountpoint),
    Links: String(containers),
    Size: humanSize(sizeBytes),
  }
}
