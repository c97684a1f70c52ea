// -v [SOURCE:]TARGET[:MODE]: a directory or file of this host, or a volume, with a name or without.

import { posix } from 'node:path'
import type { MountOption, Propagation } from '../../containers/options.ts'
import { MinictrError } from '../../system/error.ts'
import { checkVolumeName } from '../../volumes/volume.ts'

const propagations: Propagation[] = ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared']

/** The propagation a mode or key names, or undefined. */
export function parsePropagation(text: string): Propagation | undefined {
  return propagations.find(each => each === text)
}

/**
 * Parses the value of `-v`. A source that begins with a dot is taken from `workingDirectory`. Throws MinictrError in
 * Docker's words. Source: moby, volume/mounts/linux_parser.go; docker/cli, run reference.
 */
export function parseVolume(text: string, workingDirectory: string): MountOption {
  const parts = text.split(':')
  if (parts.length > 3) throw new MinictrError(`invalid spec: ${text}: too many colons`)
  if (parts.includes('')) throw new MinictrError(`invalid spec: ${text}: empty section between colons`)
  const invalid = (reason: string) => new MinictrError(`invalid volume specification: '${text}': ${reason}`)
  if (parts.length === 1) {
    return { type: 'volume', target: parseTarget(text, invalid), isReadOnly: false, copiesContent: true }
  }
  const [given, target, mode = ''] = parts as [string, string, string?]
  const { isReadOnly, propagation, copiesContent } = parseMode(mode, invalid)
  const source = parseSource(given, workingDirectory)
  if (source === undefined) {
    checkVolumeName(given)
    if (propagation !== undefined) throw invalid(`invalid mode: ${mode}`)
    return { type: 'volume', name: given, target: parseTarget(target, invalid), isReadOnly, copiesContent }
  }
  if (!copiesContent) throw invalid(`invalid mode: ${mode}`)
  return {
    type: 'bind',
    source,
    target: parseTarget(target, invalid),
    isReadOnly,
    createsSource: true,
    isRecursive: true,
    propagation,
  }
}

/** A path of this host; undefined for the name of a volume. */
function parseSource(given: string, workingDirectory: string): string | undefined {
  if (/^\.\.?(\/|$)/.test(given)) return posix.resolve(workingDirectory, given)
  return given.startsWith('/') ? posix.resolve(given) : undefined
}

/**
 * Parses the value of `--volumes-from`: a container, and how its volumes are mounted. Throws MinictrError in Docker's
 * words. Source: moby, volume/mounts/linux_parser.go (ParseVolumesFrom).
 */
export function parseVolumesFrom(text: string): { container: string; isReadOnly: boolean } {
  if (text === '') throw new MinictrError('volumes-from specification cannot be an empty string')
  const colon = text.indexOf(':')
  const mode = colon < 0 ? '' : text.slice(colon + 1)
  const invalid = () => new MinictrError(`invalid mode: ${mode}`)
  const { isReadOnly, propagation, copiesContent } = parseMode(mode, invalid)
  if (propagation !== undefined || !copiesContent) throw invalid()
  return { container: colon < 0 ? text : text.slice(0, colon), isReadOnly }
}

/** A mount point in the container, cleaned. `invalid` makes the error of its option. */
export function parseTarget(given: string, invalid: (reason: string) => MinictrError): string {
  if (!given.startsWith('/')) throw invalid(`invalid mount path: '${given}' mount path must be absolute`)
  const target = posix.resolve(given)
  if (target === '/') throw invalid("invalid specification: destination can't be '/'")
  return target
}

function parseMode(
  mode: string,
  invalid: (reason: string) => MinictrError,
): { isReadOnly: boolean; propagation?: Propagation; copiesContent: boolean } {
  const seen = new Map<string, string>()
  for (const word of mode === '' ? [] : mode.split(',')) {
    const kind = kindOf(word)
    // Docker takes each kind of mode once.
    if (kind === undefined || seen.has(kind)) throw invalid(`invalid mode: ${mode}`)
    seen.set(kind, word)
  }
  return {
    isReadOnly: seen.get('access') === 'ro',
    propagation: parsePropagation(seen.get('propagation') ?? ''),
    copiesContent: !seen.has('copy'),
  }
}

function kindOf(word: string): string | undefined {
  if (word === 'ro' || word === 'rw') return 'access'
  if (parsePropagation(word)) return 'propagation'
  // SELinux labels and consistency hints of other systems: without a meaning here, as in Docker on such a host.
  if (word === 'z' || word === 'Z') return 'label'
  if (word === 'consistent' || word === 'cached' || word === 'delegated') return 'consistency'
  if (word === 'nocopy') return 'copy'
  return undefined
}
