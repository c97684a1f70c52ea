// Benchmark: many containers that do nothing: how fast they are started, one after another and side by side, and what
// memory each takes beside its own process.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { benches } from './lifecycle.ts'
import { time } from './measure.ts'
import type { Workshop } from './workshop.ts'

const CONTAINERS = 100
const AT_ONCE = 8

/** Containers a second; bytes of the monitors, each its proportional share. */
export type IdleResult = { name: string; oneByOne: number; sideBySide: number; monitorBytes?: number }

export async function benchmarkIdle(workshop: Workshop): Promise<IdleResult[]> {
  const { image, all } = await benches(workshop)
  const results: IdleResult[] = []
  for (const { name, command } of all) {
    const start = (at: number) =>
      time(command('run', '-d', '--network', 'none', '--name', `idle-${at}`, image, 'sleep', '1000'))
    const names = Array.from({ length: CONTAINERS }, (_, at) => `idle-${at}`)
    const oneByOne = await perSecond(async () => {
      for (let at = 0; at < CONTAINERS; at++) await start(at)
    })
    const monitorBytes = name === 'minictr' ? monitorMemory() / CONTAINERS : undefined
    await time(command('rm', '-f', ...names))
    const sideBySide = await perSecond(async () => {
      let next = 0
      const worker = async () => {
        while (next < CONTAINERS) await start(next++)
      }
      await Promise.all(Array.from({ length: AT_ONCE }, worker))
    })
    await time(command('rm', '-f', ...names))
    results.push({ name, oneByOne, sideBySide, ...(monitorBytes !== undefined && { monitorBytes }) })
  }
  return results
}

async function perSecond(work: () => Promise<void>): Promise<number> {
  const beganMs = performance.now()
  await work()
  return CONTAINERS / ((performance.now() - beganMs) / 1000)
}

/** The proportional share (smaps_rollup) of all monitors together. */
function monitorMemory(): number {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .reduce((sum, pid) => sum + (isMonitor(pid) ? proportionalBytes(pid) : 0), 0)
}

function isMonitor(pid: string): boolean {
  try {
    // From a sealed copy in memory: there is no path to look at.
    return (
      readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('minictr-monitor') &&
      readlinkSync(`/proc/${pid}/exe`) !== ''
    )
  } catch {
    return false
  }
}

function proportionalBytes(pid: string): number {
  const line = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
  return Number(line?.[1] ?? 0) * 1024
}
