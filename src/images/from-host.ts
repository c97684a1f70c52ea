// An image made of programs of this host: one layer with them, what they need to start and the few files they expect.

import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, rmSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { MinictrError } from '../system/error.ts'
import { whileBringing } from './collect.ts'
import { type HostFile, HostFiles } from './host-files.ts'
import type { ImageConfig } from './image-config.ts'
import { type Descriptor, type Manifest, MEDIA_TYPES } from './manifest.ts'
import { hostPlatform } from './platform.ts'
import type { ImageStore } from './store.ts'
import { END_OF_ARCHIVE_BYTES, encodeHeader, padding } from './tar-writer.ts'

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** The time of every file in it: the same programs give the same image, whenever it is made. */
const MTIME = new Date(0)

/** Links of a merged /usr: scripts and programs name files by either path. */
const MERGED = ['/bin', '/sbin', '/lib', '/lib64']
const DIRECTORIES: Record<string, number> = {
  dev: 0o755,
  etc: 0o755,
  proc: 0o555,
  root: 0o700,
  run: 0o755,
  sys: 0o555,
  tmp: 0o1777,
  var: 0o755,
  'var/tmp': 0o1777,
}
/** Made up rather than copied: this host's users are nobody's business elsewhere. */
const TEXTS: Record<string, string> = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
}
/** Copied where they are there: libraries outside the usual directories are found by the linker's cache. */
const COPIES = [
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld-musl-x86_64.path',
  '/etc/ld-musl-aarch64.path',
]
const TERMINALS = [
  'ansi',
  'dumb',
  'linux',
  'screen',
  'screen-256color',
  'tmux',
  'tmux-256color',
  'vt100',
  'xterm',
  'xterm-256color',
]
const TERMINFO = ['/etc/terminfo', '/lib/terminfo', '/usr/share/terminfo']

/**
 * Makes an image of the programs (names or paths; the first is what the image runs), stores and tags it. Returns its
 * manifest's descriptor. Throws MinictrError where a program or a library it needs is not here.
 */
export async function imageFromHost(
  name: string,
  programs: string[],
  store: ImageStore,
): Promise<Descriptor> {
  if (programs.length === 0) throw new MinictrError('An image from this host needs at least one program')
  const files = new HostFiles()
  addSurroundings(files)
  const paths = programs.map(program => files.addProgram(program))
  return await whileBringing(store, () => storeImage(name, programs, paths, files, store))
}

async function storeImage(
  name: string,
  programs: string[],
  paths: string[],
  files: HostFiles,
  store: ImageStore,
): Promise<Descriptor> {
  const { layer, diffId } = await storeLayer(files.files, store)
  const created = createdAt(files.files).toISOString()
  const config: ImageConfig = {
    created,
    ...hostPlatform(),
    config: { Env: [PATH], Cmd: [paths[0]!] },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created, created_by: `minictr image from-host ${programs.join(' ')}` }],
  }
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: store.putBlob(Buffer.from(JSON.stringify(config)), MEDIA_TYPES.ociConfig),
    layers: [layer],
  }
  const descriptor = store.putBlob(Buffer.from(JSON.stringify(manifest)), MEDIA_TYPES.ociManifest)
  await store.tag(name, descriptor)
  return descriptor
}

/**
 * When the image counts as made: when the newest of its files was, which is no matter of when the command runs.
 * SOURCE_DATE_EPOCH (seconds) has the last word. Source: reproducible-builds.org, "SOURCE_DATE_EPOCH specification".
 */
function createdAt(files: Map<string, HostFile>): Date {
  const asked = process.env.SOURCE_DATE_EPOCH
  if (asked === undefined || asked === '') {
    const times = [...files.values()].map(file => (file.type === 'file' ? file.mtimeMs : 0))
    return new Date(Math.floor(Math.max(...times) / 1000) * 1000)
  }
  const date = new Date(Number(asked) * 1000)
  if (/^\d+$/.test(asked) && !Number.isNaN(date.getTime())) return date
  throw new MinictrError(
    `SOURCE_DATE_EPOCH is ${JSON.stringify(asked)}, not a number of seconds since 1970`,
    {
      remedy: 'Unset it, or set it to such a number.',
    },
  )
}

function addSurroundings(files: HostFiles): void {
  for (const path of MERGED) if (existsSync(path)) files.addPath(path)
  for (const [path, mode] of Object.entries(DIRECTORIES)) files.addDirectory(path, mode)
  for (const [path, text] of Object.entries(TEXTS)) files.addText(path, text)
  for (const path of COPIES) if (existsSync(path)) files.addPath(path)
  for (const terminal of TERMINALS) {
    const found = TERMINFO.map(directory => `${directory}/${terminal[0]}/${terminal}`).find(path =>
      existsSync(path),
    )
    if (found) files.addPath(found)
  }
}

async function storeLayer(
  files: Map<string, HostFile>,
  store: ImageStore,
): Promise<{ layer: Descriptor; diffId: string }> {
  const path = store.temporaryPath()
  const [tarHash, blobHash] = [createHash('sha256'), createHash('sha256')]
  let sizeBytes = 0
  const hashing = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      tarHash.update(chunk)
      yield chunk
    }
  }
  const counting = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      blobHash.update(chunk)
      sizeBytes += chunk.length
      yield chunk
    }
  }
  try {
    await pipeline(Readable.from(tarOf(files)), hashing, createGzip(), counting, createWriteStream(path))
    const digest = `sha256:${blobHash.digest('hex')}`
    await store.commitBlob(digest, path)
    const layer = { mediaType: MEDIA_TYPES.ociLayerGzip, digest, size: sizeBytes }
    return { layer, diffId: `sha256:${tarHash.digest('hex')}` }
  } finally {
    rmSync(path, { force: true })
  }
}

/** The files as a tar, in the order of their paths. */
async function* tarOf(files: Map<string, HostFile>): AsyncGenerator<Buffer, void, undefined> {
  for (const path of [...files.keys()].sort()) {
    const file = files.get(path)!
    yield encodeHeader(entryOf(path, file))
    if (file.type === 'text')
      yield Buffer.concat([Buffer.from(file.text), padding(Buffer.byteLength(file.text))])
    if (file.type === 'file') yield* contentOf(file)
  }
  yield Buffer.alloc(END_OF_ARCHIVE_BYTES)
}

function entryOf(path: string, file: HostFile) {
  const owner = file.type === 'text' ? { uid: 0, gid: 0 } : { uid: file.uid, gid: file.gid }
  const common = { ...owner, mtime: MTIME, sizeBytes: 0 }
  switch (file.type) {
    case 'directory':
      return { ...common, type: 'Directory' as const, path: `${path}/`, mode: file.mode }
    case 'link':
      return { ...common, type: 'SymbolicLink' as const, path, mode: 0o777, linkPath: file.target }
    case 'text':
      return {
        ...common,
        type: 'File' as const,
        path,
        mode: file.mode,
        sizeBytes: Buffer.byteLength(file.text),
      }
    case 'file':
      return { ...common, type: 'File' as const, path, mode: file.mode, sizeBytes: file.sizeBytes }
  }
}

async function* contentOf(file: HostFile & { type: 'file' }): AsyncGenerator<Buffer, void, undefined> {
  let readBytes = 0
  for await (const chunk of createReadStream(file.hostPath)) {
    readBytes += (chunk as Buffer).length
    yield chunk as Buffer
  }
  if (readBytes !== file.sizeBytes) {
    throw new MinictrError(`${file.hostPath} changed while it was being packed`, { remedy: 'Try again.' })
  }
  yield padding(file.sizeBytes)
}
