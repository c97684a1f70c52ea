// Image references: how a name a person types (`debian`) becomes the one full name of an image.

import { MinictrError } from '../system/error.ts'

/** The registry Docker assumes, and the folder it assumes there for names of one part. */
const DEFAULT_DOMAIN = 'docker.io'
const LEGACY_DEFAULT_DOMAIN = 'index.docker.io'
const OFFICIAL_FOLDER = 'library/'
const DEFAULT_TAG = 'latest'
const MAX_PATH_LENGTH = 255

export type Reference = {
  /** Registry host, with a port where one was given: `docker.io`, `localhost:5000`. */
  domain: string
  /** Repository path at the registry: `library/debian`. */
  path: string
  tag?: string
  /** `sha256:…`; where there is one, it decides and the tag is only decoration. */
  digest?: string
}

const HOST_LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const DOMAIN = `(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`
const PATH_PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const PATH = `${PATH_PART}(?:/${PATH_PART})*`
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}'
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}'

/** Hex digits per digest algorithm (OCI image spec, descriptor.md, "Registered algorithms"). */
const HEX_LENGTHS: Record<string, number> = { sha256: 64, sha512: 128 }

/**
 * Parses a reference by Docker's rules into its full form: `debian` -> docker.io/library/debian, without inventing
 * a tag (see `withDefaultTag`). Throws MinictrError naming the text and the rule it breaks.
 * Source: the grammar of github.com/distribution/reference (reference.go, normalize.go).
 */
export function parseReference(text: string): Reference {
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw invalid(text, 'a name of 64 hexadecimal digits would be taken for an image id')
  }
  const { domain, rest } = splitDomain(text)
  const match = new RegExp(`^(${DOMAIN})/(${PATH})(?::(${TAG}))?(?:@(${DIGEST}))?$`).exec(`${domain}/${rest}`)
  if (!match) {
    const name = rest.split(/[:@]/, 1)[0]!
    if (name !== name.toLowerCase()) throw invalid(text, `the repository name (${name}) must be lowercase`)
    throw invalid(text, 'it is not [HOST[:PORT]/]NAME[:TAG][@DIGEST]')
  }
  const [, , path, tag, digest] = match
  if (path!.length > MAX_PATH_LENGTH) {
    throw invalid(text, `the repository name is longer than ${MAX_PATH_LENGTH} characters`)
  }
  if (digest !== undefined) assertDigest(digest)
  return { domain, path: path!, ...(tag && { tag }), ...(digest && { digest }) }
}

/** Adds the tag `latest` where the reference has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  if (reference.tag !== undefined || reference.digest !== undefined) return reference
  return { ...reference, tag: DEFAULT_TAG }
}

/** The one full spelling, with the tag and digest it has: `docker.io/library/debian:trixie`. */
export function canonicalName(reference: Reference): string {
  return `${reference.domain}/${reference.path}${suffix(reference)}`
}

/** The short spelling people read: `debian:trixie` for docker.io/library/debian:trixie. */
export function familiarName(reference: Reference): string {
  return `${familiarRepository(reference)}${suffix(reference)}`
}

/** The short spelling of the repository alone: `debian`, `localhost:5000/a/b`. */
export function familiarRepository({ domain, path }: Reference): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`
  const official = path.startsWith(OFFICIAL_FOLDER) && path.indexOf('/', OFFICIAL_FOLDER.length) < 0
  return official ? path.slice(OFFICIAL_FOLDER.length) : path
}

/**
 * Checks a digest: a registered algorithm with the right number of lower-case hex digits. Throws MinictrError.
 * Source: OCI image spec, descriptor.md, "Digests". Whoever makes a file name of a digest calls this first.
 */
export function assertDigest(digest: string): void {
  const [algorithm, hex, more] = digest.split(':')
  const length = Object.hasOwn(HEX_LENGTHS, algorithm!) ? HEX_LENGTHS[algorithm!]! : undefined
  if (length === undefined) {
    throw new MinictrError(
      `Digest ${digest}: the algorithm "${algorithm}" is not one of ${Object.keys(HEX_LENGTHS).join(', ')}`,
    )
  }
  if (more !== undefined || hex?.length !== length || !/^[0-9a-f]+$/.test(hex)) {
    throw new MinictrError(`Digest ${digest}: ${algorithm} takes ${length} lower-case hexadecimal digits`)
  }
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

function splitDomain(text: string): { domain: string; rest: string } {
  const slash = text.indexOf('/')
  if (slash < 0) return { domain: DEFAULT_DOMAIN, rest: OFFICIAL_FOLDER + text }
  const first = text.slice(0, slash)
  // A repository part is lower case and holds neither dot-with-colon nor port, so anything else must be a host.
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase()
  const domain = isHost ? (first === LEGACY_DEFAULT_DOMAIN ? DEFAULT_DOMAIN : first) : DEFAULT_DOMAIN
  const rest = isHost ? text.slice(slash + 1) : text
  const isOfficial = domain === DEFAULT_DOMAIN && !rest.includes('/')
  return { domain, rest: isOfficial ? OFFICIAL_FOLDER + rest : rest }
}

function invalid(text: string, reason: string): MinictrError {
  return new MinictrError(`Invalid image reference "${text}": ${reason}`, {
    remedy: 'Write it as in debian, debian:trixie, host:5000/folder/name:tag or name@sha256:….',
  })
}

/** What an image that was asked for so is called: beside a digest a tag says nothing that holds. */
export function withoutIdleTag(reference: Reference): Reference {
  return reference.digest === undefined ? reference : { ...reference, tag: undefined }
}
