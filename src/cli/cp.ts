// minictr cp: files and directories between a container and this host, or as a tar through a pipe.

import { Command } from 'commander'
import {
  archiveFromContainer,
  type Copied,
  type CopyOptions,
  copyFromContainer,
  copyToContainer,
  extractToContainer,
} from '../containers/copy.ts'
import { findContainer } from '../containers/lookup.ts'
import { recover } from '../containers/recover.ts'
import { MinictrError } from '../system/error.ts'
import { visible } from '../system/visible.ts'
import type { GlobalOptions } from './command.ts'
import { humanSize } from './human.ts'
import { whileRead, writeBytes } from './output.ts'
import { usageError } from './usage-error.ts'

type Flags = { archive?: boolean; followLink?: boolean; quiet?: boolean }

/** The `cp` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('cp')
    .summary('Copy files/folders between a container and the local filesystem')
    .description('Copy files/folders between a container, running or not, and the local filesystem')
    .usage(
      '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n       minictr cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
    )
    .argument('<source>')
    .argument('<destination>')
    .option('-a, --archive', 'Archive mode (copy all uid/gid information)')
    .option('-L, --follow-link', 'Always follow symbol link in SRC_PATH')
    .option('-q, --quiet', 'Suppress progress output during copy')
    .addHelpText(
      'after',
      `
A directory is copied into one that exists, and becomes one that does not; with
/. behind it only its content is copied. A file's new directory must exist.
What comes into a container belongs to its root, unless -a keeps the numbers.
"-" is a tar archive, to standard output or from standard input, where it may be
compressed with gzip or zstd.

Examples:
  minictr cp web:/etc/nginx .                  a directory, out of the container
  minictr cp index.html web:/usr/share/www/    a file into a directory of it
  minictr cp site/. web:/usr/share/www         what is in a directory
  minictr cp web:/var/log - | tar -t           as an archive
  tar -c site | minictr cp - web:/srv`,
    )
    .action((source: string, destination: string, flags: Flags) =>
      perform(source, destination, flags, globals),
    )
}

async function perform(
  sourceText: string,
  destinationText: string,
  { archive = false, followLink = false, quiet = false }: Flags,
  globals: GlobalOptions,
): Promise<void> {
  const [source, destination] = [sourceText, destinationText].map(parseSide)
  if (source!.container !== undefined && destination!.container !== undefined)
    throw new MinictrError('copying between containers is not supported')
  const name = source!.container ?? destination!.container
  if (name === undefined) throw usageError('must specify at least one container source', 'minictr cp')
  await recover(globals)
  const container = findContainer(globals, name)
  const options: CopyOptions = { archive, followLink }
  const isQuiet = quiet || !process.stderr.isTTY
  if (source!.container !== undefined) {
    if (destination!.path === '-')
      return await toStandardOutput(() =>
        archiveFromContainer(globals, container, rooted(source!.path), options, bytes =>
          writeBytes('stdout', bytes),
        ),
      )
    const copied = await copyFromContainer(
      globals,
      container,
      rooted(source!.path),
      destination!.path,
      options,
    )
    if (!isQuiet) tell(copied)
  } else if (source!.path === '-') {
    await extractToContainer(globals, container, process.stdin, rooted(destination!.path), options)
  } else {
    const path = rooted(destination!.path)
    const copied = await copyToContainer(globals, container, source!.path, path, options)
    if (!isQuiet) tell({ ...copied, to: `${name}:${copied.to}` })
  }
}

/** `CONTAINER:PATH`, or a path of this host, which begins with a slash or a dot where it holds a colon. */
function parseSide(text: string): { container?: string; path: string } {
  if (text === '') throw new MinictrError('a path must not be empty')
  const colon = text.indexOf(':')
  if (colon <= 0 || text.startsWith('/') || text.startsWith('.')) return { path: text }
  const path = text.slice(colon + 1)
  if (path === '') throw new MinictrError(`${text}: the path in the container is missing`)
  return { container: text.slice(0, colon), path }
}

/** Paths of a container count from its root. */
function rooted(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}

function tell({ sizeBytes, to }: Copied): void {
  process.stderr.write(`Successfully copied ${humanSize(sizeBytes)} to ${visible(to)}\n`)
}

async function toStandardOutput(archive: () => Promise<void>): Promise<void> {
  if (process.stdout.isTTY) throw new MinictrError('cowardly refusing to write an archive to a terminal')
  await whileRead(archive)
}
