// Measuring: commands run in turn, round by round, so that what disturbs the machine disturbs them all alike.

import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** A command as a user would type it; `environment` is added to that of the benchmark. */
export type Command = { argv: string[]; environment?: NodeJS.ProcessEnv }

export type Contestant = {
  name: string
  /** What to run in this round, ready to be timed; what it does itself is not timed. */
  prepare(round: number): Command | Promise<Command>
  /** Called after each round, untimed. */
  finish?(): void | Promise<void>
}

export type Result = { name: string; medianMs: number; fastestMs: number; timesMs: number[] }

/**
 * Runs every contestant once per round, after a first round that is not counted. Each round begins with another one, so that
 * none always comes after the same, whatever that leaves to the disk and the caches.
 */
export async function compare(contestants: Contestant[], rounds: number): Promise<Result[]> {
  const timesMs = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    const first = round % contestants.length
    for (const { name, prepare, finish } of [...contestants.slice(first), ...contestants.slice(0, first)]) {
      const command = await prepare(round)
      // Dirty pages of the one before would be written at the cost of this one.
      spawnSync('sync')
      const timeMs = await time(command)
      if (round > 0) timesMs.get(name)!.push(timeMs)
      await finish?.()
    }
  }
  return [...timesMs].map(([name, times]) => ({
    name,
    medianMs: median(times),
    fastestMs: Math.min(...times),
    timesMs: times,
  }))
}

/** The median of one contestant's times over another's, round by round: what slows a round down slows both. */
export function medianRatio({ timesMs }: Result, base: Result): number {
  return median(timesMs.map((timeMs, round) => timeMs / base.timesMs[round]!))
}

export function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Milliseconds from before a command's start to after its end. Throws if it fails, with what it said. */
export async function time(command: Command): Promise<number> {
  const start = process.hrtime.bigint()
  const child = startCommand(command)
  const status = await child.ended
  const timeMs = Number(process.hrtime.bigint() - start) / 1e6
  if (status !== 0) throw new Error(`${command.argv.join(' ')}: exit status ${status}\n${child.said()}`)
  return timeMs
}

/** Bytes of memory that a command and its descendants held at their most, each by itself (VmHWM), added up. */
export async function peakMemory(command: Command): Promise<number> {
  const child = startCommand(command)
  const peaks = new Map<number, number>()
  const timer = setInterval(() => {
    for (const pid of withDescendants(child.pid)) {
      // The last value and not the largest: a fork of Node counts as large as Node until it executes a program.
      const bytes = statusBytes(pid, 'VmHWM')
      if (bytes > 0) peaks.set(pid, bytes)
    }
  }, 10)
  const status = await child.ended
  clearInterval(timer)
  if (status !== 0) throw new Error(`${command.argv.join(' ')}: exit status ${status}\n${child.said()}`)
  return [...peaks.values()].reduce((sum, peak) => sum + peak, 0)
}

/** A process and all that it started, directly and indirectly. */
export function withDescendants(pid: number): number[] {
  let children: string
  try {
    children = readdirSync(`/proc/${pid}/task`)
      .map(thread => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'))
      .join(' ')
  } catch {
    return [] // It has ended.
  }
  return [pid, ...children.split(' ').filter(Boolean).map(Number).flatMap(withDescendants)]
}

function statusBytes(pid: number, field: string): number {
  try {
    const line = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return Number(line?.[1] ?? 0) * 1024
  } catch {
    return 0 // It has ended.
  }
}

/** Of what a command says: to keep hundreds of megabytes would take longer than most commands do. */
const KEPT_LENGTH = 100_000

/** Starts a command without a terminal; keeps what it says first for the case that it fails. */
function startCommand({ argv, environment }: Command) {
  const child = spawn(argv[0]!, argv.slice(1), {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const keep = (chunk: Buffer) => {
    if (text.length < KEPT_LENGTH) text += chunk
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
  return { pid: child.pid!, ended, said: () => text }
}
