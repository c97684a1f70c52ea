// --mount KEY=VALUE,…: one mount with everything about it named.

import { posix } from 'node:path'
import type { MountOption, Propagation } from '../../containers/options.ts'
import { MinictrError } from '../../system/error.ts'
import { checkDriver, checkVolumeName } from '../../volumes/volume.ts'
import { parseCsv } from './csv.ts'
import { parseSwitch } from './flag.ts'
import { parseBytes } from './numbers.ts'
import { toRecord } from './variables.ts'
import { parsePropagation, parseTarget } from './volume.ts'

type Fields = {
  type: string
  source?: string
  target?: string
  isReadOnly: boolean
  propagation?: Propagation
  isNonRecursive?: boolean
  copiesContent?: boolean
  /** NAME=value each. */
  volumeLabels?: string[]
  volumeOptions?: string[]
  volumeDriver?: string
  sizeBytes?: number
  mode?: number
}

/**
 * Parses the value of `--mount`. A source that begins with a dot is taken from `workingDirectory`. Throws MinictrError
 * in Docker's words, and for what minictr has not yet. Source: github.com/docker/cli, opts/mount.go; moby,
 * volume/mounts/linux_parser.go.
 */
export function parseMount(text: string, workingDirectory: string): MountOption {
  const fields: Fields = { type: 'volume', isReadOnly: false }
  for (const field of parseCsv(text)) readField(fields, field, workingDirectory)
  const { type } = fields
  if (type === '') throw new MinictrError('type is required')
  if (!fields.target) throw new MinictrError('target is required')
  refuseMixed(fields)
  const invalid = (reason: string) => new MinictrError(`invalid mount config for type "${type}": ${reason}`)
  const target = parseTarget(fields.target, invalid)
  if (type === 'bind') return bindMount(fields, target, invalid)
  if (type === 'tmpfs') {
    if (fields.source) throw invalid('field Source must not be specified')
    return { type, target, isReadOnly: fields.isReadOnly, options: tmpfsOptions(fields) }
  }
  if (type === 'volume') {
    return volumeMount(fields, target)
  }
  if (type === 'image' || type === 'npipe' || type === 'cluster') {
    throw new MinictrError(`type=${type}: minictr mounts bind, volume and tmpfs only`)
  }
  throw invalid('mount type unknown')
}

function bindMount(fields: Fields, target: string, invalid: (reason: string) => MinictrError): MountOption {
  const { source = '' } = fields
  if (source === '') throw invalid('field Source must not be empty')
  if (!source.startsWith('/')) throw invalid(`invalid mount path: '${source}' mount path must be absolute`)
  return {
    type: 'bind',
    source: posix.resolve(source),
    target,
    isReadOnly: fields.isReadOnly,
    createsSource: false,
    isRecursive: !fields.isNonRecursive,
    propagation: fields.propagation,
  }
}

function volumeMount(fields: Fields, target: string): MountOption {
  const { source, isReadOnly, copiesContent = true, volumeLabels, volumeOptions } = fields
  if (source) checkVolumeName(source)
  checkDriver(fields.volumeDriver ?? 'local')
  return {
    type: 'volume',
    ...(source && { name: source }),
    target,
    isReadOnly,
    copiesContent,
    ...(volumeLabels && { labels: toRecord(volumeLabels) }),
    ...(volumeOptions && { driverOptions: toRecord(volumeOptions) }),
  }
}

function tmpfsOptions({ sizeBytes, mode }: Fields): string[] {
  return [
    ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]),
    ...(mode === undefined ? [] : [`mode=${mode.toString(8)}`]),
  ]
}

/** A key without a value, where it is a switch. */
const switches = ['readonly', 'ro', 'bind-nonrecursive', 'volume-nocopy']

function readField(fields: Fields, field: string, workingDirectory: string): void {
  const equals = field.indexOf('=')
  const key = equals < 0 ? field : field.slice(0, equals)
  if (equals < 0 && !switches.includes(key)) {
    throw new MinictrError(`invalid field '${field}' must be a key=value pair`)
  }
  const value = equals < 0 ? 'true' : field.slice(equals + 1)
  const checked = <T>(parse: (text: string) => T | undefined): T => parsed(key, value, parse)
  switch (key) {
    case 'type':
      fields.type = value.toLowerCase()
      return
    case 'source':
    case 'src':
      fields.source = value === '.' || value.startsWith('./') ? posix.resolve(workingDirectory, value) : value
      return
    case 'target':
    case 'dst':
    case 'destination':
      fields.target = value
      return
    case 'readonly':
    case 'ro':
      fields.isReadOnly = checked(parseSwitch)
      return
    case 'bind-propagation':
      fields.propagation = checked(parsePropagation)
      return
    case 'bind-nonrecursive':
      fields.isNonRecursive = checked(parseSwitch)
      return
    case 'volume-nocopy':
      fields.copiesContent = !checked(parseSwitch)
      return
    case 'volume-label':
      fields.volumeLabels = [...(fields.volumeLabels ?? []), value]
      return
    case 'volume-opt':
      fields.volumeOptions = [...(fields.volumeOptions ?? []), value]
      return
    case 'volume-driver':
      fields.volumeDriver = value
      return
    case 'tmpfs-size':
      fields.sizeBytes = checked(parseBytes)
      return
    case 'tmpfs-mode':
      fields.mode = checked(parseOctal)
      return
    case 'consistency':
      return
    default:
      throw refusedOrUnknown(key, field)
  }
}

/** Keys of Docker's that mean something, but not to minictr yet. */
const refused = ['bind-recursive', 'bind-create-src', 'volume-subpath', 'tmpfs-options', 'image-subpath']

function refusedOrUnknown(key: string, field: string): MinictrError {
  if (refused.includes(key)) return new MinictrError(`minictr has no ${key} yet`)
  return new MinictrError(`unexpected key '${key}' in '${field}'`)
}

function parsed<T>(key: string, value: string, parse: (text: string) => T | undefined): T {
  let result: T | undefined
  try {
    result = parse(value)
  } catch (error) {
    if (!(error instanceof MinictrError)) throw error
  }
  if (result === undefined) throw new MinictrError(`invalid value for ${key}: ${value}`)
  return result
}

function parseOctal(text: string): number | undefined {
  return /^[0-7]{1,11}$/.test(text) ? Number.parseInt(text, 8) : undefined
}

function refuseMixed(fields: Fields): void {
  const { type, propagation, isNonRecursive, copiesContent, sizeBytes, mode } = fields
  const { volumeLabels, volumeOptions, volumeDriver } = fields
  const isOfVolume = [copiesContent, volumeLabels, volumeOptions, volumeDriver].some(
    each => each !== undefined,
  )
  const given: [string, boolean][] = [
    ['volume', isOfVolume],
    ['bind', propagation !== undefined || isNonRecursive !== undefined],
    ['tmpfs', sizeBytes !== undefined || mode !== undefined],
  ]
  for (const [kind, isGiven] of given) {
    if (isGiven && type !== kind) {
      throw new MinictrError(`cannot mix '${kind}-*' options with mount type '${type}'`)
    }
  }
}
