// State of `inspect`: whether a container runs, since when, and how it ended.

import { withOmitted } from '../images/nil.ts'
import { type Condition, isActive } from './condition.ts'
import type { Health, ProbeResult } from './health.ts'
import type { Container } from './state.ts'

/** What Go prints for a time that never was. */
const NEVER = '0001-01-01T00:00:00Z'
/** Docker's for an end that its daemon has not seen. */
const UNSEEN_STATUS = 255

/** Describes it. Source: moby, container/state.go and api/types/types.go (ContainerState). */
export function describeState(
  { run, exit, lifecycle, startError }: Pick<Container, 'run' | 'exit' | 'lifecycle' | 'startError'>,
  { state, health }: Condition,
): Record<string, unknown> {
  const hasEnded = state === 'exited' || state === 'restarting'
  const isUnseen = hasEnded && (exit === undefined || exit.exitStatus === null)
  const description = {
    Status: state,
    Running: isActive(state),
    Paused: state === 'paused',
    Restarting: state === 'restarting',
    OOMKilled: hasEnded && exit?.isOutOfMemory === true,
    Dead: false,
    Pid: run && !hasEnded ? run.pid : 0,
    ExitCode: hasEnded ? (exit?.exitStatus ?? UNSEEN_STATUS) : (startError?.exitStatus ?? 0),
    Error:
      startError?.message ??
      lifecycle?.restartError ??
      (isUnseen ? 'nobody saw how it ended: its status is unknown' : ''),
    StartedAt: timeText(lifecycle?.startedAtMs),
    FinishedAt: timeText(hasEnded ? exit?.finishedAtMs : undefined),
    ...(health && { Health: describeHealth(health) }),
  }
  return withOmitted(description, { Health: null })
}

function describeHealth({ status, failingStreak, log }: Health): Record<string, unknown> {
  return { Status: status, FailingStreak: failingStreak, Log: log.map(describeProbe) }
}

function describeProbe({ startedAtMs, endedAtMs, exitStatus, output }: ProbeResult): Record<string, unknown> {
  return { Start: timeText(startedAtMs), End: timeText(endedAtMs), ExitCode: exitStatus, Output: output }
}

function timeText(atMs: number | undefined): string {
  return atMs === undefined ? NEVER : new Date(atMs).toISOString()
}
