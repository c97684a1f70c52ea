// How a container is paused, and let go on: one word to the freezer of its cgroup.

import type { Freezer } from './freezer.ts'
import type { Plan } from './step.ts'
import { lockContainerStep } from './steps/container-files.ts'
import { freezeStep, thawStep } from './steps/freeze.ts'

/** All of it is decided before the plan is made. */
export type PauseContext = { containerId: string; lockFile: string; freezer: Freezer }

/** The ordered steps that pause a container. A pure function. Source: docker(1), `docker pause`; cgroups(7). */
export function pausePlan({ containerId, lockFile, freezer }: PauseContext): Plan {
  return { containerId, command: 'pause', steps: [lockContainerStep({ lockFile }), freezeStep(freezer)] }
}

/** The steps that let it go on. */
export function unpausePlan({ containerId, lockFile, freezer }: PauseContext): Plan {
  return { containerId, command: 'unpause', steps: [lockContainerStep({ lockFile }), thawStep(freezer)] }
}
