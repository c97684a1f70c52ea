// minictr image serve: the store as a registry, for another root, another machine, or Docker to pull from.

import { once } from 'node:events'
import { join } from 'node:path'
import { Command } from 'commander'
import { servedNames, serveImages } from '../images/serve.ts'
import { ImageStore } from '../images/store.ts'
import type { GlobalOptions } from './command.ts'
import { usageError } from './usage-error.ts'

const DEFAULT_ADDRESS = '127.0.0.1:5000'

/** The `image serve` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('serve')
    .summary('Serve the images of the store as a read-only registry')
    .description('Serve the images of the store as a read-only registry, until interrupted')
    .usage('[OPTIONS]')
    .option('--listen <host:port>', 'Where to listen; port 0 takes any free one', DEFAULT_ADDRESS)
    .addHelpText(
      'after',
      `
Examples:
  minictr image serve                          on ${DEFAULT_ADDRESS}, for this machine alone
  minictr image serve --listen 127.0.0.1:0     on a free port; the first line says which
  minictr --root /tmp/other pull 127.0.0.1:5000/debian:trixie
  docker pull 127.0.0.1:5000/debian:trixie

It speaks plain HTTP and lets everyone in who can reach it; images cannot be
pushed to it. An image of docker.io is served under its short name (debian) and
its long one (library/debian), one of another registry without that registry's
name. Ctrl-C lets downloads under way finish; a second one does not.`,
    )
    .action(({ listen }: { listen: string }) => perform(listen, globals))
}

async function perform(listen: string, globals: GlobalOptions): Promise<void> {
  const [, host, port] = /^\[?(.*?)\]?:(\d{1,5})$/.exec(listen) ?? []
  if (!host || port === undefined || Number(port) > 65535) {
    throw usageError(`--listen "${listen}" is not HOST:PORT`, 'minictr image serve')
  }
  const store = new ImageStore(join(globals.root, 'images'))
  const registry = await serveImages(store, host, Number(port))
  process.stdout.write(`Serving ${store.directory} at http://${registry.address}\n`)
  for (const name of servedNames(store)) process.stdout.write(`  minictr pull ${registry.address}/${name}\n`)
  await interruption()
  process.once('SIGINT', () => registry.abort()).once('SIGTERM', () => registry.abort())
  await registry.close()
}

async function interruption(): Promise<void> {
  const waiting = new AbortController()
  const { signal } = waiting
  await Promise.race([once(process, 'SIGINT', { signal }), once(process, 'SIGTERM', { signal })]).finally(
    () => waiting.abort(),
  )
}
