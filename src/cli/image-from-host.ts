// minictr image from-host: an image made of programs of this host.

import { join } from 'node:path'
import { Command } from 'commander'
import { imageFromHost } from '../images/from-host.ts'
import { LayerStore } from '../images/layers.ts'
import { readyLayers } from '../images/ready.ts'
import { ImageStore } from '../images/store.ts'
import type { GlobalOptions } from './command.ts'
import { recordImport } from './image-events.ts'

/** The `image from-host` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('from-host')
    .summary('Make an image of programs of this host')
    .description('Make an image of programs of this host, with the shared libraries they need')
    .usage('[OPTIONS] NAME[:TAG] PROGRAM [PROGRAM...]')
    .argument('<name>', 'the name to give to the image')
    .argument('<program...>', 'names of programs, or their paths; the image runs the first one')
    .option('-q, --quiet', 'Only show the image ID')
    .addHelpText(
      'after',
      `
Examples:
  minictr image from-host tools bash ls cat ps         a shell and a few programs
  minictr image from-host hello ./hello                one's own program, at the path it has here
  minictr run -it tools                                runs bash in it

Each program comes with its interpreter and its shared libraries, found in the
program's headers and in the linker's cache; a script comes with the interpreter
its first line names. Links and directories on the way stay as they are here.
What a program opens while it runs (modules of perl or python, data, plug-ins)
is not known beforehand and does not come along. The image also has /etc/passwd
with root and nobody, /tmp, and descriptions of the common terminals. The same
programs give the same image: times are fixed, names are sorted.`,
    )
    .action((name: string, programs: string[], flags: { quiet?: boolean }) =>
      perform(name, programs, flags, globals),
    )
}

async function perform(
  name: string,
  programs: string[],
  flags: { quiet?: boolean },
  globals: GlobalOptions,
): Promise<void> {
  const store = new ImageStore(join(globals.root, 'images'))
  const { digest } = await imageFromHost(name, programs, store)
  const image = store.resolve(name)
  await readyLayers(image, store, new LayerStore(join(globals.root, 'layers')))
  const { familiarName, parseReference, withDefaultTag } = await import('../images/reference.ts')
  recordImport(globals, image.id, familiarName(withDefaultTag(parseReference(name))))
  if (!flags.quiet)
    process.stdout.write(`${familiarName(withDefaultTag(parseReference(name)))}: digest: ${digest}\n`)
  process.stdout.write(`${image.id}\n`)
}
