// Several steps of one kind in a plan: each has an id of its own.

import type { Step } from '../step.ts'

/** `create-volume`, `create-volume-2`, … */
export function numbered(steps: Step[]): Step[] {
  return steps.map((step, index) => (index === 0 ? step : { ...step, id: `${step.id}-${index + 1}` }))
}
