// What a volume is: a directory with a name, which outlives the containers that use it.

import { MinictrError } from '../system/error.ts'

/** volume.json, beside the volume's content. */
export type Volume = {
  name: string
  driver: 'local'
  /** `type`, `device` and `o` of the local driver: what is mounted in place of the volume's own directory. */
  options: Record<string, string>
  labels: Record<string, string>
  /** ISO 8601. */
  createdAt: string
  /** Nobody named it: it goes with its container where that is removed with its volumes. */
  isAnonymous: boolean
}

/** The label by which Docker knows a volume that nobody named. */
const anonymousLabel = 'com.docker.volume.anonymous'

/** The kernel's limit for the name of a directory. */
const LONGEST_NAME = 255

export function isVolumeName(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(text) && text.length <= LONGEST_NAME
}

/** Throws MinictrError, in Docker's words, for what cannot be the name of a volume. Source: moby, volume/local/local.go. */
export function checkVolumeName(name: string): void {
  if (isVolumeName(name)) return
  if (name.length === 1) {
    throw new MinictrError(
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    )
  }
  if (name.length > LONGEST_NAME) {
    throw new MinictrError(
      `create ${name}: volume name is too long, at most ${LONGEST_NAME} characters are allowed`,
    )
  }
  throw new MinictrError(
    `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  )
}

/** What a new volume is to be. `name` is absent where nobody names it; `ownName` is what it is called in any case. */
export type VolumeWish = {
  name?: string
  labels?: Record<string, string>
  driverOptions?: Record<string, string>
}

/** A volume that is yet to be made. Throws MinictrError for a name and options that cannot be. */
export function newVolume(
  { name, labels, driverOptions = {} }: VolumeWish,
  ownName: string,
  createdAt: string,
): Volume {
  const isAnonymous = name === undefined
  if (!isAnonymous) checkVolumeName(name)
  checkDriverOptions({ name: ownName, options: driverOptions })
  return {
    name: ownName,
    driver: 'local',
    options: driverOptions,
    labels: { ...labels, ...(isAnonymous && { [anonymousLabel]: '' }) },
    createdAt,
    isAnonymous,
  }
}

/** Throws MinictrError, in Docker's words, for a driver there is none of. */
export function checkDriver(driver: string): void {
  if (driver === 'local' || driver === '') return
  throw new MinictrError(
    `error looking up volume plugin ${driver}: plugin ${JSON.stringify(driver)} not found`,
    {
      remedy: 'There are no plugins here: `local` is the only driver.',
    },
  )
}

const neededWith: Record<string, string[]> = {
  device: ['type'],
  type: ['device'],
  o: ['device', 'type'],
}

/**
 * Throws MinictrError, in Docker's words, for options the local driver does not take. Source: moby,
 * volume/local/local_linux.go.
 */
function checkDriverOptions({ name, options }: Pick<Volume, 'name' | 'options'>): void {
  if (Object.hasOwn(options, 'size')) {
    throw new MinictrError(`create ${name}: quota size requested but no quota support`, {
      remedy: 'A volume in memory can be bounded: --opt type=tmpfs --opt device=tmpfs --opt o=size=100m',
    })
  }
  for (const option of Object.keys(options)) {
    if (!Object.hasOwn(neededWith, option)) {
      throw new MinictrError(`create ${name}: invalid option: ${JSON.stringify(option)}`)
    }
    const missing = neededWith[option]!.find(needed => !Object.hasOwn(options, needed))
    if (missing !== undefined)
      throw new MinictrError(`create ${name}: missing required option: ${JSON.stringify(missing)}`)
  }
}

/**
 * What is mounted where a container uses the volume: its own directory, or what its options name. `options` as in
 * mount(8).
 */
export function mountOfVolume(
  { options }: Pick<Volume, 'options'>,
  dataDirectory: string,
): { type: string; source: string; options: string[] } {
  const { type, device, o = '' } = options
  if (type === undefined || device === undefined) {
    return { type: 'bind', source: dataDirectory, options: ['rbind'] }
  }
  return { type, source: device, options: o === '' ? [] : o.split(',') }
}

/** The text of volume.json. */
export function volumeText(volume: Volume): string {
  return `${JSON.stringify(volume, null, 2)}\n`
}
