// The image of a run: pulled first where it is not here, or where that was asked for.

import type { RunOptions } from '../containers/options.ts'
import { LayerStore } from '../images/layers.ts'
import { parsePlatform } from '../images/platform.ts'
import { familiarName, parseReference, withDefaultTag } from '../images/reference.ts'
import { type Image, ImageStore } from '../images/store.ts'
import type { GlobalOptions } from './command.ts'

/**
 * Pulls the image as `--pull` says: always, if it is missing, or never. What is told goes to standard error, since
 * standard output is the container's. Returns the image where it was here. Throws MinictrError where pulling fails.
 */
export async function provideImage(
  { image, pull: policy, platform: platformText, quiet }: RunOptions,
  globals: GlobalOptions,
): Promise<Image | undefined> {
  const { root, configFile } = globals
  const store = new ImageStore(`${root}/images`)
  const platform = platformText === undefined ? undefined : parsePlatform(platformText)
  const found = policy === 'always' ? undefined : store.find(image, platform)
  if (found) await provideLayers(found, store, new LayerStore(`${root}/layers`))
  if (found || policy === 'never') return found
  const reference = withDefaultTag(parseReference(image))
  if (policy === 'missing' && !quiet) {
    process.stderr.write(`Unable to find image '${familiarName(reference)}' locally\n`)
  }
  const [{ pull }, { readConfiguration }, { barProgress, lineProgress, silentProgress }, { recordPull }] =
    await Promise.all([
      import('../images/pull.ts'),
      import('../images/configuration.ts'),
      import('../images/progress.ts'),
      import('./image-events.ts'),
    ])
  const progress = quiet
    ? silentProgress()
    : process.stderr.isTTY
      ? barProgress(process.stderr)
      : lineProgress(process.stderr)
  const layers = new LayerStore(`${root}/layers`)
  const configuration = readConfiguration(configFile)
  try {
    const { digest } = await pull(reference, { store, layers, configuration, progress, platform })
    progress.finish()
    recordPull(globals, reference)
    if (!quiet) process.stderr.write(`Digest: ${digest}\n`)
  } finally {
    progress.finish()
  }
  return undefined
}

/** Unpacks what a reboot has made doubtful; nothing in the usual case. */
async function provideLayers(image: Image, store: ImageStore, layers: LayerStore): Promise<void> {
  if (layers.hasAll(image)) return
  const { readyLayers } = await import('../images/ready.ts')
  await readyLayers(image, store, layers)
}
