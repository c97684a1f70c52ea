// How healthy a container is: what its probes have found out, in a file of its run that goes with it; what was last known of
// one that has ended is kept with the container.

import { copyFileSync } from 'node:fs'
import { errnoOf } from '../system/errno.ts'
import { type ProbeTiming, probeCommand } from './health-check.ts'
import { readJson } from './json-file.ts'
import { type Container, containerPaths, type Roots, readContainer } from './state.ts'

export type Health = {
  status: 'starting' | 'healthy' | 'unhealthy'
  /** How many of the last probes failed, one after the other. */
  failingStreak: number
  /** The last five, oldest first. */
  log: ProbeResult[]
}

export type ProbeResult = {
  startedAtMs: number
  endedAtMs: number
  /** -1: it could not be started, or took too long. */
  exitStatus: number
  /** The beginning of what it wrote. */
  output: string
}

const LONGEST_LOG = 5

const beginning: Health = { status: 'starting', failingStreak: 0, log: [] }

/** The health of the container of this id; undefined where there is no such container, else as `healthOf`. */
export function readHealth(roots: Roots, id: string): Health | undefined {
  const container = readContainer(roots, id)
  return container && healthOf(container, roots)
}

/**
 * The health of a container; undefined for one that has no check, or never ran. One that does not run is unhealthy, as with
 * Docker.
 */
export function healthOf({ id, lifecycle, record, status }: Container, roots: Roots): Health | undefined {
  if (!lifecycle || !record.health || !probeCommand(record.health)) return undefined
  const { health, lastHealth } = containerPaths(roots, id)
  if (status === 'running') return readJson<Health>(health) ?? beginning
  return { ...(readJson<Health>(lastHealth) ?? beginning), status: 'unhealthy' }
}

/** What health becomes by one more result. Source: moby, daemon/health.go (handleProbeResult). */
export function healthAfter(
  { status, failingStreak, log }: Health,
  result: ProbeResult,
  { retries, startPeriodMs }: Pick<ProbeTiming, 'retries' | 'startPeriodMs'>,
  containerStartedAtMs: number,
): Health {
  const newLog = [...log, result].slice(-LONGEST_LOG)
  if (result.exitStatus === 0) return { status: 'healthy', failingStreak: 0, log: newLog }
  const isForgiven = status === 'starting' && result.startedAtMs - containerStartedAtMs < startPeriodMs
  const streak = isForgiven ? failingStreak : failingStreak + 1
  const isUnhealthy = !isForgiven && streak >= retries
  return { status: isUnhealthy ? 'unhealthy' : status, failingStreak: streak, log: newLog }
}

/** Keeps what is known of a run that has ended, for those who ask why. */
export function keepHealth(roots: Roots, id: string): void {
  const { health, lastHealth } = containerPaths(roots, id)
  try {
    copyFileSync(health, lastHealth)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
