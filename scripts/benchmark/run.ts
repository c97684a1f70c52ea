// Benchmark: `run --rm --network none IMAGE /bin/true`, against Node's own empty start and the peers.

import { writeFileSync } from 'node:fs'
import { debianImage, pushImage } from '../../test/fixtures/image.ts'
import { type Contestant, compare, type Result, time } from './measure.ts'
import type { Workshop } from './workshop.ts'

/** The medians of each contestant; the image is pulled before and not timed. */
export async function benchmarkRun(workshop: Workshop, rounds: number): Promise<Result[]> {
  const image = `${workshop.registry}/debian:trixie`
  await pushImage(await debianImage(), workshop.registry, 'debian:trixie', { tag: 'trixie' })
  const run = ['run', '--rm', '--network', 'none', image, '/bin/true']

  const empty = `${workshop.freshDirectory('empty')}.cjs`
  writeFileSync(empty, '')
  const root = workshop.freshDirectory('minictr')
  await time(workshop.minictr(root, 'pull', '--quiet', image))
  const contestants: Contestant[] = [
    { name: 'node (an empty program)', prepare: () => ({ argv: [process.execPath, empty] }) },
    { name: 'minictr run', prepare: () => workshop.minictr(root, ...run) },
  ]
  for (const peer of workshop.peers) {
    const engine = await workshop.startEngine(peer)
    await time(engine.command('pull', ...(peer.name === 'podman' ? ['--tls-verify=false'] : []), image))
    contestants.push({ name: `${peer.name} run`, prepare: () => engine.command(...run) })
  }
  return compare(contestants, rounds)
}
