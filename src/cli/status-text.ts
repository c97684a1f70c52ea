// How a container is, in the words of `ps`: `Up 5 minutes (healthy)`, `Exited (0) 3 seconds ago`.

import type { Condition } from '../containers/condition.ts'
import type { Container } from '../containers/state.ts'
import { humanDuration } from './human.ts'

/**
 * The text for a container. How long ago one ended is told only where somebody saw it end. Source: moby, container/state.go
 * (String).
 */
export function statusText(
  { run, exit }: Pick<Container, 'run' | 'exit'>,
  { state, health }: Condition,
  nowMs: number,
): string {
  const ago = (atMs: number) => humanDuration(nowMs - atMs)
  if (run && state === 'paused') return `Up ${ago(run.startedAtMs)} (Paused)`
  if (run && state === 'running') {
    return `Up ${ago(run.startedAtMs)}${health ? ` (${healthText(health.status)})` : ''}`
  }
  if (state === 'created') return 'Created'
  const word = state === 'restarting' ? 'Restarting' : 'Exited'
  if (exit === undefined || exit.exitStatus === null) return `${word} (unknown)`
  return `${word} (${exit.exitStatus}) ${ago(exit.finishedAtMs)} ago`
}

function healthText(status: string): string {
  return status === 'starting' ? 'health: starting' : status
}
