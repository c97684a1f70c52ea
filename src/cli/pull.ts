// minictr pull: an image, or all tags of a repository, from a registry into the store.

import { join } from 'node:path'
import { Command } from 'commander'
import { readConfiguration } from '../images/configuration.ts'
import { LayerStore } from '../images/layers.ts'
import { parsePlatform } from '../images/platform.ts'
import { barProgress, lineProgress, type Progress, silentProgress } from '../images/progress.ts'
import { listTags, type PullOptions, pull } from '../images/pull.ts'
import {
  canonicalName,
  familiarName,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../images/reference.ts'
import { ImageStore } from '../images/store.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'
import { recordPull } from './image-events.ts'

type Flags = { allTags?: boolean; platform?: string; quiet?: boolean }

/** The `pull` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('pull')
    .summary('Download an image from a registry')
    .description('Download an image from a registry')
    .usage('[OPTIONS] NAME[:TAG|@DIGEST]')
    .argument('<name>', 'what to pull: debian, debian:trixie, host:5000/folder/name:tag, name@sha256:…')
    .option('-a, --all-tags', 'Download all tagged images in the repository')
    .option('--platform <string>', 'Set platform if server is multi-platform capable')
    .option('-q, --quiet', 'Suppress verbose output')
    .addHelpText(
      'after',
      `
Examples:
  minictr pull debian:trixie                       from docker.io
  minictr pull localhost:5000/debian:trixie        from a registry of this machine, over plain HTTP
  minictr pull --platform linux/arm64 debian       for another kind of processor
  minictr pull debian@sha256:<64 hex digits>       exactly this image, whatever its tag says now

An interrupted pull goes on where it stopped. Mirrors and insecure registries
are named in the configuration file (/etc/minictr/config.json) by Docker's keys
registry-mirrors and insecure-registries; the certificate of a private authority
belongs beside it, into certs.d/HOST[:PORT]/ca.crt. Users and passwords:
minictr login.`,
    )
    .action((name: string, flags: Flags) => perform(name, flags, globals))
}

/**
 * Pulls what `minictr pull` is asked for and says so on standard output as Docker does. Throws MinictrError.
 */
async function perform(name: string, flags: Flags, globals: GlobalOptions): Promise<void> {
  const reference = parseReference(name)
  const configuration = readConfiguration(globals.configFile)
  const progress = progressFor(flags)
  const options: PullOptions = {
    store: new ImageStore(join(globals.root, 'images')),
    layers: new LayerStore(join(globals.root, 'layers')),
    configuration,
    progress,
    ...(flags.platform !== undefined && { platform: parsePlatform(flags.platform) }),
  }
  if (!flags.allTags) {
    const wanted = withDefaultTag(reference)
    if (wanted !== reference) progress.report({ kind: 'message', text: `Using default tag: ${wanted.tag}` })
    return pullOne(wanted, options, flags, globals)
  }
  if (reference.tag !== undefined || reference.digest !== undefined) {
    throw new MinictrError(`pull --all-tags: ${name} names a tag or digest`, {
      remedy: 'Give the repository alone.',
    })
  }
  for (const tag of await listTags(reference, configuration))
    await pullOne({ ...reference, tag }, options, flags, globals)
}

async function pullOne(
  reference: Reference,
  options: PullOptions,
  flags: Flags,
  globals: GlobalOptions,
): Promise<void> {
  const { progress } = options
  try {
    const pulled = await pull(reference, options)
    progress.finish()
    recordPull(globals, reference)
    if (!flags.quiet) {
      const status = pulled.isNew ? 'Downloaded newer image for' : 'Image is up to date for'
      process.stdout.write(`Digest: ${pulled.digest}\nStatus: ${status} ${familiarName(pulled.reference)}\n`)
    }
    process.stdout.write(`${canonicalName(pulled.reference)}\n`)
  } finally {
    progress.finish()
  }
}

function progressFor({ quiet }: Flags): Progress {
  if (quiet) return silentProgress()
  return process.stdout.isTTY ? barProgress(process.stdout) : lineProgress(process.stdout)
}
