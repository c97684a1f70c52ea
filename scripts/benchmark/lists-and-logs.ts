// Benchmark: `ps -a` where there are many containers, `logs` of a long log, and a container that writes much.

import { writeFileSync } from 'node:fs'
import { benches } from './lifecycle.ts'
import { type Contestant, compare, type Result, time } from './measure.ts'
import type { Workshop } from './workshop.ts'

const CONTAINERS = 1000
const AT_ONCE = 4
const LOG_BYTES = 100_000_000
const CHATTER_BYTES = 300_000_000
/** 64 bytes with the newline. */
const LINE = '0123456789abcdef'.repeat(4).slice(1)

/** Times of `ps -a` and of an empty Node; megabytes (10^6) a second of the two others, round by round. */
export type ListsAndLogs = {
  lists: Result[]
  logs: Result
  chatter: Result
  logMegabytes: number
  chatterMegabytes: number
}

export async function benchmarkListsAndLogs(workshop: Workshop, rounds: number): Promise<ListsAndLogs> {
  const { image, all } = await benches({ ...workshop, peers: [] })
  const { command } = all[0]!
  const empty = `${workshop.freshDirectory('empty')}.cjs`
  writeFileSync(empty, '')
  let next = 0
  const worker = async () => {
    while (next < CONTAINERS)
      await time(command('create', '--network', 'none', '--name', `many-${next++}`, image, 'true'))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const lists = await compare(
    [
      { name: 'node (an empty program)', prepare: () => ({ argv: [process.execPath, empty] }) },
      { name: `minictr ps -a, ${CONTAINERS} containers`, prepare: () => command('ps', '-a') },
    ],
    rounds,
  )
  const print = (bytes: number) => ['sh', '-c', `yes ${LINE} | head -c ${bytes}`]
  await time(command('run', '-d', '--network', 'none', '--name', 'printed', image, ...print(LOG_BYTES)))
  await time(command('logs', '--follow', 'printed'))
  const chatter: Contestant = {
    name: 'minictr run',
    prepare: () => command('run', '--rm', '--network', 'none', image, ...print(CHATTER_BYTES)),
  }
  const [logs] = await compare([{ name: 'minictr logs', prepare: () => command('logs', 'printed') }], rounds)
  const [written] = await compare([chatter], rounds)
  return {
    lists,
    logs: logs!,
    chatter: written!,
    logMegabytes: LOG_BYTES / 1e6,
    chatterMegabytes: CHATTER_BYTES / 1e6,
  }
}
