// minictr image inspect: all that is known about images.

import { join } from 'node:path'
import { Command } from 'commander'
import { findInCatalog } from '../images/catalog.ts'
import { describeImage, type ImageDescription } from '../images/inspect.ts'
import { LayerStore } from '../images/layers.ts'
import { parsePlatform } from '../images/platform.ts'
import { ImageStore } from '../images/store.ts'
import type { GlobalOptions } from './command.ts'
import { printInspected } from './inspected.ts'

type Flags = { format?: string; platform?: string }

/** The `image inspect` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('inspect')
    .summary('Display detailed information on one or more images')
    .description('Display detailed information on one or more images')
    .usage('[OPTIONS] IMAGE [IMAGE...]')
    .argument('<image...>', 'names, name@digest, or ids')
    .option('-f, --format <string>', "'json', or a Go template that is filled with each image")
    .option('--platform <string>', 'Fail unless the image is for this platform')
    .addHelpText(
      'after',
      `
Examples:
  minictr image inspect debian:trixie
  minictr image inspect -f '{{.Id}}' debian
  minictr image inspect -f '{{json .Config.Env}}' debian
  minictr image inspect -f '{{range .RootFS.Layers}}{{println .}}{{end}}' debian
  minictr image inspect -f '{{index .Config.Labels "maintainer"}}' debian`,
    )
    .action((images: string[], flags: Flags) => perform(images, flags, globals))
}

function perform(images: string[], flags: Flags, globals: GlobalOptions): void {
  const store = new ImageStore(join(globals.root, 'images'))
  const layers = new LayerStore(join(globals.root, 'layers'))
  const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform)
  const inspect = (text: string): ImageDescription => {
    store.resolve(text, platform)
    return describeImage(findInCatalog(store, text), layers)
  }
  printInspected(images, inspect, flags.format)
}
