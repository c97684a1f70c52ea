// The line of a container in a list: the fields that templates can name, and the titles of their columns.

import type { Listed } from '../containers/listed.ts'
import { networkNames, openPorts } from '../containers/networking.ts'
import type { ContainerRecord } from '../containers/record.ts'
import { familiarName, parseReference } from '../images/reference.ts'
import { listPorts } from '../networks/port-list.ts'
import { goTime, humanDuration, humanSize } from './human.ts'
import { ellipsis, quoted } from './quoted.ts'
import { statusText } from './status-text.ts'
import { labelTitle, type Row } from './table.ts'

/** The titles of the columns. Source: docker/cli, formatter/container.go. */
export const CONTAINER_TITLES = {
  ID: 'CONTAINER ID',
  Image: 'IMAGE',
  Command: 'COMMAND',
  CreatedAt: 'CREATED AT',
  RunningFor: 'CREATED',
  Ports: 'PORTS',
  State: 'STATE',
  Status: 'STATUS',
  Size: 'SIZE',
  Names: 'NAMES',
  Labels: 'LABELS',
  Mounts: 'MOUNTS',
  LocalVolumes: 'LOCAL VOLUMES',
  Networks: 'NETWORKS',
  Label: labelTitle,
}

export type RowContext = {
  nowMs: number
  /** Ids, commands and mounts are cut to their columns. */
  truncates: boolean
  /** The id that a name stands for today; undefined where it stands for none. */
  imageId(name: string): string | undefined
  /** The bytes that the container has written, and with `layers` those of its image. */
  sizeOf(listed: Listed): { writtenBytes: number; layerBytes: number }
}

const COMMAND_WIDTH = 20
const MOUNT_WIDTH = 15

/** The line of one container. What is dear to find out is found out when it is asked for. */
export function containerRow(listed: Listed, context: RowContext): Row {
  const { container, condition } = listed
  const { record, id, name } = container
  const { truncates, nowMs } = context
  const cut = (text: string, width: number) => (truncates ? ellipsis(text, width) : text)
  const createdAtMs = Date.parse(record.createdAt)
  const { bindings, exposed } = openPorts(container, listed.endpoints)
  return {
    ID: truncates ? id.slice(0, 12) : id,
    Image: imageText(record.image, context),
    Command: quoted(cut(commandText(record), COMMAND_WIDTH)),
    CreatedAt: goTime(createdAtMs),
    RunningFor: `${humanDuration(nowMs - createdAtMs)} ago`,
    Ports: listPorts(bindings, exposed),
    State: condition.state,
    Status: statusText(container, condition, nowMs),
    get Size() {
      const { writtenBytes, layerBytes } = context.sizeOf(listed)
      const virtualBytes = writtenBytes + layerBytes
      return humanSize(writtenBytes) + (virtualBytes > 0 ? ` (virtual ${humanSize(virtualBytes)})` : '')
    },
    Names: name,
    Labels: Object.entries(record.labels)
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join(','),
    Mounts: record.mounts
      .filter(({ type }) => type !== 'tmpfs')
      .map(mount => cut(mount.name ?? mount.source, MOUNT_WIDTH))
      .join(','),
    LocalVolumes: String(record.mounts.filter(({ type }) => type === 'volume').length),
    Networks: networkNames(record).join(','),
    Label: label => (Object.hasOwn(record.labels, label) ? record.labels[label]! : ''),
  }
}

/** The program and its arguments; one with a blank in it is quoted. Source: moby, daemon/list.go. */
function commandText({ entrypoint, command }: Pick<ContainerRecord, 'entrypoint' | 'command'>): string {
  const [program = '', ...args] = [...entrypoint, ...command]
  return [program, ...args.map(arg => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ')
}

/** The name the image was asked by, as long as that is still its; else its id. */
function imageText({ name, id }: ContainerRecord['image'], { imageId, truncates }: RowContext): string {
  const short = id.slice('sha256:'.length, 'sha256:'.length + 12)
  if (imageId(name) !== id) return truncates ? short : id
  if (!truncates) return name
  if (name.replace('sha256:', '').startsWith(short)) return short
  return withoutDigest(name)
}

/** By name: many containers are made of few images, and to parse a name takes as long as to read a container. */
const familiar = new Map<string, string>()

/** A name as people write it; one that is none stays as it is. */
function withoutDigest(name: string): string {
  const text = familiar.get(name) ?? familiarText(name)
  familiar.set(name, text)
  return text
}

function familiarText(name: string): string {
  try {
    const { digest, ...reference } = parseReference(name)
    return familiarName(reference)
  } catch {
    return name
  }
}
