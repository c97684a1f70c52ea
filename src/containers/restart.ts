// restart: stop and start, as one list of steps.

import type { Observer } from '../runtime/perform.ts'
import type { Plan } from '../runtime/step.ts'
import { joinedPlan } from '../runtime/stop-plan.ts'
import type { Executor } from '../system/executor.ts'
import { recordContainerEvent } from './events-of-container.ts'
import type { RunSettings } from './plan-run.ts'
import { planStart } from './plan-start.ts'
import { startContainer } from './start.ts'
import { type Container, readContainer } from './state.ts'
import { planStop, type StopOptions, stopContainer } from './stop.ts'

/**
 * Stops a container that runs, and starts it; --rm does not remove it in between. Returns whether it was done: not where somebody
 * who watched did not go on. Throws as `stopContainer` and `startContainer`. Source: moby, daemon/restart.go.
 */
export async function restartContainer(
  container: Container,
  settings: RunSettings,
  executor: Executor,
  options: StopOptions,
): Promise<boolean> {
  const { observer, ...how } = options
  const parts = observer && partsOf(await planRestart(container, settings, how), observer)
  const stopping = { ...how, isRestarting: true, ...(parts && { observer: parts.stop }) }
  if (!(await stopContainer(container, settings, executor, stopping))) return false
  const result = await startContainer(container.id, settings, { ...(parts && { observer: parts.start }) })
  if (result.how === 'quit') return false
  recordContainerEvent(settings, readContainer(settings, container.id) ?? container, 'restart')
  return true
}

/** Decides it completely and performs nothing of it. */
export async function planRestart(
  container: Container,
  settings: RunSettings,
  options: StopOptions,
): Promise<Plan> {
  const { plan: start } = await planStart(container, settings)
  if (container.status !== 'running') return { ...start, command: 'restart' }
  const stop = await planStop(container, settings, { ...options, isRestarting: true })
  return joinedPlan('restart', stop, start)
}

/** Observers for the two parts of a plan, which are plans of their own: whoever watches sees one. */
function partsOf(plan: Plan, observer: Observer): { stop: Observer; start: Observer } {
  const total = plan.steps.length
  let isBegun = false
  let offset = 0
  const part = (isSecond: boolean): Observer => ({
    begin(own) {
      if (isSecond) offset = total - own.steps.length
      if (!isBegun) observer.begin?.(plan)
      isBegun = true
    },
    ...(observer.before && {
      before: (_, index) => observer.before!(plan.steps[offset + index]!, offset + index, total),
    }),
    after(report) {
      const index = offset + report.index
      observer.after?.({ ...report, step: plan.steps[index]!, index, total })
    },
    undone: report => observer.undone?.(report),
  })
  return { stop: part(false), start: part(true) }
}
