// minictr rmi, minictr image rm: images, or only names of them, out of the store.

import { join } from 'node:path'
import { Command } from 'commander'
import { LayerStore, SETTLING_AGE_MS } from '../images/layers.ts'
import { removeImage } from '../images/remove.ts'
import { ImageNotFoundError, ImageStore } from '../images/store.ts'
import { MinictrError } from '../system/error.ts'
import { visible } from '../system/visible.ts'
import type { GlobalOptions } from './command.ts'
import { recordRemoval } from './image-events.ts'
import { imageUses } from './image-uses.ts'

type Flags = { force?: boolean; prune: boolean }

/** The `rmi` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('rmi')
    .summary('Remove one or more images')
    .description('Remove one or more images')
    .usage('[OPTIONS] IMAGE [IMAGE...]')
    .argument('<image...>', 'names, name@digest, or ids')
    .option('-f, --force', 'Force removal of the image')
    .option('--no-prune', 'Accepted for Docker; images have no parents here')
    .addHelpText(
      'after',
      `
Examples:
  minictr rmi debian:trixie          one name; the image goes with its last name
  minictr rmi 4d1c2b                 by the beginning of its id
  minictr rmi -f debian              even where a stopped container was made of it
  minictr rmi $(minictr images -q)   all that no container needs

While a pull is in progress names are removed at once, and content that nobody
needs by the next rmi.`,
    )
    .action((images: string[], flags: Flags) => perform(images, flags, globals))
}

async function perform(images: string[], flags: Flags, globals: GlobalOptions): Promise<void> {
  const store = new ImageStore(join(globals.root, 'images'))
  const layers = new LayerStore(join(globals.root, 'layers'))
  const failures: MinictrError[] = []
  for (const image of images) {
    try {
      const removed = await removeImage(image, flags.force ?? false, store, layers, () => imageUses(globals))
      recordRemoval(globals, removed)
      for (const name of removed.untagged) process.stdout.write(`Untagged: ${name}\n`)
      for (const digest of removed.deleted) process.stdout.write(`Deleted: ${digest}\n`)
      if (removed.isContentKept)
        process.stderr.write(
          'A pull is in progress, or a container is just being made: the next rmi removes the content.\n',
        )
    } catch (error) {
      if (!(error instanceof MinictrError)) throw error
      // As in Docker: who forces does not mind that there is nothing.
      if (flags.force && error instanceof ImageNotFoundError)
        process.stderr.write(`minictr: ${visible(error.message)}\n`)
      else failures.push(error instanceof ImageNotFoundError ? notThere(error) : error)
    }
  }
  await layers.settle(SETTLING_AGE_MS)
  if (failures.length === 0) return
  // The last one is told as the command's error.
  for (const failure of failures.slice(0, -1)) process.stderr.write(`minictr: ${visible(failure.message)}\n`)
  throw failures.at(-1)!
}

/** Who wants an image gone is not to pull it. */
function notThere({ message, cause }: ImageNotFoundError): MinictrError {
  return new MinictrError(message, { remedy: '`minictr images` lists the images there are.', cause })
}
