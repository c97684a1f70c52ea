// What a container is doing at this moment, in Docker's words: besides whether it runs, whether it is paused and healthy.

import { hostFacts } from '../system/host-facts.ts'
import { isFrozen } from './frozen.ts'
import { type Health, healthOf } from './health.ts'
import type { Container, Roots } from './state.ts'

export type State = Container['status'] | 'paused'

/** `health` only of a container that has checks. */
export type Condition = { state: State; health?: Health }

/** Looks it up. */
export function conditionOf(container: Container, roots: Roots): Condition {
  const { id, status } = container
  const health = healthOf(container, roots)
  const isPaused = status === 'running' && isFrozen(`/minictr/${id}`, hostFacts())
  return { state: isPaused ? 'paused' : status, ...(health && { health }) }
}

/** Whether Docker counts it among those that run: what is paused does, and what is about to be restarted. */
export function isActive(state: State): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting'
}
