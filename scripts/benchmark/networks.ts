// Benchmark: networks. What a container with one costs over one without, how a network with many containers takes another one,
// and how many bits go through. All of it happens in a network namespace of its own, with another host on the same wire.

import { execFile, execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { debianImage, pushImage } from '../../test/fixtures/image.ts'
import { connect, Machine } from '../../test/networks/laboratory.ts'
import { stopping } from './lifecycle.ts'
import { type Command, type Contestant, compare, median, type Result, time } from './measure.ts'
import type { Workshop } from './workshop.ts'

const CONTAINERS = 200
/** As many around the tenth, and before the last, are taken for one. */
const NEIGHBOURS = 5
const SECONDS_OF_TRAFFIC = 3
/** In turn, of which the median counts. */
const ROUNDS_OF_TRAFFIC = 5
const HOST = '192.0.2.1'

/** Milliseconds of `run -d` in a network that has so many containers already. */
export type AttachResult = { name: string; tenthMs: number; lastMs: number }

/** Gigabits a second, of one connection. */
export type TrafficResult = {
  name: string
  betweenContainers: number
  fromAnotherHost: number
  fromLoopback: number
}

export type NetworkResults = {
  runs: Result[]
  stops: Result[]
  attaches: AttachResult[]
  traffic: TrafficResult[]
}

type Bench = { name: string; image: string; command(...args: string[]): Command }

/** minictr and the peers that are installed, each with Debian; how networks fill and what goes through them, beside docker alone. */
export async function benchmarkNetworks(workshop: Workshop, rounds: number): Promise<NetworkResults> {
  const host = await Machine.start()
  const other = await Machine.start()
  try {
    connect(host, 'uplink', other, 'eth0')
    host.ip(`address add ${HOST}/24 dev uplink\nroute add default via 192.0.2.2`)
    other.ip('address add 192.0.2.2/24 dev eth0')
    const benches = await benchesIn(host, workshop)
    const runs = await compare(benches.flatMap(contestants), rounds)
    const stops = await compare(
      benches.map(bench => stopping(bench)),
      rounds,
    )
    const both = benches.filter(({ name }) => name !== 'podman')
    const samples: TrafficResult[] = []
    for (let round = 0; round < ROUNDS_OF_TRAFFIC; round++) {
      for (const bench of both) samples.push(await measureTraffic(bench, host, other))
    }
    const attaches: AttachResult[] = []
    for (const bench of both) attaches.push(await attachMany(bench))
    return { runs, stops, attaches, traffic: both.map(({ name }) => medianTraffic(name, samples)) }
  } finally {
    await Promise.all([host.stop(), other.stop()])
  }
}

async function benchesIn(host: Machine, workshop: Workshop): Promise<Bench[]> {
  const layout = await debianImage()
  const image = `${workshop.registry}/debian:trixie`
  await pushImage(layout, workshop.registry, 'debian:trixie', { tag: 'trixie' })
  const root = workshop.freshDirectory('minictr')
  await time(workshop.minictr(root, 'pull', '--quiet', image))
  // As a user does; nsenter(1) is the benchmark's, and for all alike.
  const inHost = ({ argv, ...command }: Command) => ({ ...command, argv: [...host.entrance, ...argv] })
  const minictr = (...args: string[]) => inHost(workshop.minictr(root, ...args))
  const benches: Bench[] = [{ name: 'minictr', image, command: minictr }]
  // The registry is not to be reached from the namespace.
  const archive = join(workshop.freshDirectory('image'))
  const archived = `docker-archive:${archive}:debian:trixie`
  execFileSync('skopeo', ['copy', '--quiet', `oci:${layout}:trixie`, archived])
  for (const peer of workshop.peers) {
    const engine = await workshop.startEngine(peer, host.entrance)
    await time(engine.command('load', '--quiet', '--input', archive))
    const command = (...args: string[]) => inHost(engine.command(...args))
    benches.push({ name: peer.name, image: 'debian:trixie', command })
  }
  return benches
}

function contestants({ name, image, command }: Bench): Contestant[] {
  const run = (flags: string): Contestant => ({
    name: `${name} run${flags}`,
    prepare: () => command('run', '--rm', ...flags.split(' ').filter(Boolean), image, '/bin/true'),
  })
  return [run(' --network none'), run(''), run(' -p 8080:80')]
}

async function attachMany({ name, image, command }: Bench): Promise<AttachResult> {
  const names = Array.from({ length: CONTAINERS }, (_, index) => `many-${index + 1}`)
  const timesMs: number[] = []
  // One more than were started, in case that one failed halfway.
  const remove = async () => {
    await time(command('rm', '-f', ...names.slice(0, timesMs.length + 1)))
    await removeNetwork(name, command('network', 'rm', 'crowd'))
  }
  await time(command('network', 'create', 'crowd'))
  try {
    for (const each of names) {
      timesMs.push(
        await time(command('run', '-d', '--network', 'crowd', '--name', each, image, 'sleep', '9000')),
      )
    }
  } catch (error) {
    await remove().catch(() => {}) // what failed first is to be told
    throw error
  }
  await remove()
  const around = (nth: number) => median(timesMs.slice(nth - NEIGHBOURS, nth + NEIGHBOURS))
  return { name, tenthMs: around(10), lastMs: around(CONTAINERS - NEIGHBOURS) }
}

/**
 * Docker takes containers for connected a moment longer than they are there, and now and then for ever: then the network goes
 * with its daemon.
 */
async function removeNetwork(engine: string, command: Command): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return void (await time(command))
    } catch (error) {
      if (engine === 'minictr') throw error
      if (attempt === 20) return
      await sleep(500)
    }
  }
}

function medianTraffic(engine: string, samples: TrafficResult[]): TrafficResult {
  const own = samples.filter(({ name }) => name === engine)
  const of = (way: keyof Omit<TrafficResult, 'name'>) => median(own.map(sample => sample[way]))
  return {
    name: engine,
    betweenContainers: of('betweenContainers'),
    fromAnotherHost: of('fromAnotherHost'),
    fromLoopback: of('fromLoopback'),
  }
}

async function measureTraffic({ name, image, command }: Bench, host: Machine, other: Machine) {
  const start = async (container: string, seconds: string, ...flags: string[]) => {
    await time(command('run', '-d', '--name', container, ...flags, image, 'sleep', seconds))
    return pidOf(['sleep', seconds])
  }
  // By these times of sleeping they are found among the processes, whoever runs them.
  const server = await start('server', '8000.25', '-p', '5201:5201')
  const client = await start('client', '8000.75')
  try {
    const ip = [
      'nsenter',
      '--net',
      '--target',
      String(server),
      'ip',
      '-json',
      '-4',
      'address',
      'show',
      'eth0',
    ]
    const [link] = JSON.parse(execFileSync(ip[0]!, ip.slice(1), { encoding: 'utf8' }))
    const address: string = link.addr_info[0].local
    return {
      name,
      betweenContainers: await gigabits(server, client, address),
      fromAnotherHost: await gigabits(server, other.pid, HOST),
      fromLoopback: await gigabits(server, host.pid, '127.0.0.1'),
    }
  } finally {
    await time(command('rm', '-f', 'server', 'client'))
  }
}

/** What iperf3 sends from the network of one process to that of another. */
async function gigabits(serverPid: number, clientPid: number, address: string): Promise<number> {
  const within = (pid: number) => ['--net', '--target', String(pid), 'iperf3']
  const server = spawn('nsenter', [...within(serverPid), '--server', '--one-off'], { stdio: 'ignore' })
  try {
    const send = ['--client', address, '--time', String(SECONDS_OF_TRAFFIC), '--json']
    for (let attempt = 0; ; attempt++) {
      try {
        const { stdout } = await promisify(execFile)('nsenter', [...within(clientPid), ...send])
        return JSON.parse(stdout).end.sum_received.bits_per_second / 1e9
      } catch (error) {
        if (attempt === 20) throw error
        await sleep(100) // the server is not there yet
      }
    }
  } finally {
    server.kill()
  }
}

function pidOf(argv: string[]): number {
  const wanted = `${argv.join('\0')}\0`
  const pid = readdirSync('/proc').find(name => /^\d+$/.test(name) && commandLine(name) === wanted)
  if (pid === undefined) throw new Error(`no process is ${argv.join(' ')}`)
  return Number(pid)
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // it has ended
  }
}
