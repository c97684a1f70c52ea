// Benchmark: what containers in the background are asked for all day: started and removed, stopped, entered.

import { debianImage, pushImage } from '../../test/fixtures/image.ts'
import { type Command, type Contestant, compare, type Result, time } from './measure.ts'
import type { Workshop } from './workshop.ts'

/** A container engine's command line, with the image in its store. */
type Bench = { name: string; command(...args: string[]): Command }

/** A program that ends as soon as it is asked to. */
const obedient = ['sh', '-c', 'trap "exit 0" TERM; sleep 1000 & wait']

export type LifecycleResults = { removal: Result[]; stop: Result[]; exec: Result[] }

/** minictr and the peers, each with Debian pulled; nothing of it is timed. */
export async function benches(workshop: Workshop): Promise<{ image: string; all: Bench[] }> {
  const image = `${workshop.registry}/debian:trixie`
  await pushImage(await debianImage(), workshop.registry, 'debian:trixie', { tag: 'trixie' })
  const root = workshop.freshDirectory('minictr')
  await time(workshop.minictr(root, 'pull', '--quiet', image))
  const all: Bench[] = [{ name: 'minictr', command: (...args) => workshop.minictr(root, ...args) }]
  for (const peer of workshop.peers) {
    const engine = await workshop.startEngine(peer)
    await time(engine.command('pull', ...(peer.name === 'podman' ? ['--tls-verify=false'] : []), image))
    all.push({ name: peer.name, command: engine.command })
  }
  return { image, all }
}

/** `run -d` and `rm -f`; `stop` of a program that obeys; `exec … true`. */
export async function benchmarkLifecycle(workshop: Workshop, rounds: number): Promise<LifecycleResults> {
  const { image, all } = await benches(workshop)
  const run = ['run', '-d', '--network', 'none', '--name']
  const removal = all.map(({ name, command }): Contestant => {
    return {
      name: `${name} run -d, rm -f`,
      prepare: () => inOrder(command(...run, 'bench', image, 'sleep', '1000'), command('rm', '-f', 'bench')),
    }
  })
  const stop = all.map(({ name, command }) => stopping({ name, image, command }, '--network', 'none'))
  const exec = all.map(({ name, command }): Contestant => {
    return { name: `${name} exec true`, prepare: () => command('exec', 'entered', 'true') }
  })
  for (const { command } of all) await time(command(...run, 'entered', image, 'sleep', '1000'))
  try {
    return {
      removal: await compare(removal, rounds),
      stop: await compare(stop, rounds),
      exec: await compare(exec, rounds),
    }
  } finally {
    await time(all[0]!.command('rm', '-f', 'entered', 'bench'))
  }
}

/** `stop` of a program that obeys, in a container run with these flags. */
export function stopping(
  { name, image, command }: Bench & { image: string },
  ...flags: string[]
): Contestant {
  return {
    name: `${name} stop`,
    prepare: async () => {
      await time(command('run', '-d', ...flags, '--name', 'bench', image, ...obedient))
      return command('stop', 'bench')
    },
    finish: async () => void (await time(command('rm', 'bench'))),
  }
}

/** Two commands of one engine as one, by a shell. */
function inOrder(first: Command, second: Command): Command {
  const words = [first, second].map(({ argv }) => argv.map(quoted).join(' '))
  return { argv: ['sh', '-c', words.join(' && ')], environment: first.environment }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
