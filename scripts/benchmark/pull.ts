// Benchmark: `pull` of a Debian image into an empty store, against the peers and `tar -xzf` of the same layer.

import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { debianImage, pushImage } from '../../test/fixtures/image.ts'
import { type Contestant, compare, type Result } from './measure.ts'
import type { Engine } from './peers.ts'
import type { Workshop } from './workshop.ts'

/** The medians of each contestant. Each round has directories, and daemons, of its own; nothing is removed in between. */
export async function benchmarkPull(workshop: Workshop, rounds: number): Promise<Result[]> {
  const image = `${workshop.registry}/debian:trixie`
  const layout = await debianImage()
  await pushImage(layout, workshop.registry, 'debian:trixie', { tag: 'trixie' })
  const layer = layerFile(layout)

  const contestants: Contestant[] = [
    {
      name: 'tar -xzf',
      prepare: () => {
        const directory = workshop.freshDirectory('tar')
        mkdirSync(directory)
        return { argv: ['tar', '-xzf', layer, '-C', directory] }
      },
    },
    {
      name: 'minictr pull',
      prepare: () => workshop.minictr(workshop.freshDirectory('minictr'), 'pull', '--quiet', image),
    },
  ]
  for (const peer of workshop.peers) {
    let engine: Engine
    contestants.push({
      name: `${peer.name} pull`,
      prepare: async () => {
        engine = await workshop.startEngine(peer)
        return engine.command(
          'pull',
          '--quiet',
          ...(peer.name === 'podman' ? ['--tls-verify=false'] : []),
          image,
        )
      },
      finish: () => engine.stop(),
    })
  }
  return compare(contestants, rounds)
}

/** The one layer of an OCI layout's one image. */
function layerFile(layout: string): string {
  const blob = (digest: string) => join(layout, 'blobs', digest.replace(':', '/'))
  const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'))
  const { manifests } = read(join(layout, 'index.json'))
  return blob(read(blob(manifests[0].digest)).layers[0].digest)
}
