// -v [SOURCE:]TARGET[:MODE]: a directory or file of this host, or a volume without a name.

import { posix } from 'node:path'
import type { MountOption, Propagation } from '../../containers/options.ts'
import { MinictrError } from '../../system/error.ts'

const propagations: Propagation[] = ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared']

/** The propagation a mode or key names, or undefined. */
export function parsePropagation(text: string): Propagation | undefined {
  return propagations.find(each => each === text)
}

/**
 * Parses the value of `-v`. A source that begins with a dot is taken from `workingDirectory`. Throws MinictrError in
 * Docker's words, and for a named volume. Source: moby, volume/mounts/linux_parser.go; docker/cli, run reference.
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
  const { isReadOnly, propagation } = parseMode(mode, invalid)
  return {
    type: 'bind',
    source: parseSource(given, workingDirectory),
    target: parseTarget(target, invalid),
    isReadOnly,
    createsSource: true,
    isRecursive: true,
    propagation,
  }
}

function parseSource(given: string, workingDirectory: string): string {
  if (/^\.\.?(\/|$)/.test(given)) return posix.resolve(workingDirectory, given)
  if (given.startsWith('/')) return posix.resolve(given)
  throw new MinictrError(`${given} would be the name of a volume, and minictr has no named volumes yet`, {
    remedy: `Give a directory of this host: an absolute path, or ./${given}.`,
  })
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
): { isReadOnly: boolean; propagation?: Propagation } {
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
