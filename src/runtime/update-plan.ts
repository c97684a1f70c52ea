// How the limits of a container are changed: in the files of its cgroup where it runs, and in its configuration for later.

import type { HostFacts } from './host.ts'
import type { Plan } from './step.ts'
import { changeLimitsStep, type LimitChange } from './steps/cgroup.ts'
import { lockContainerStep, type Replacement, replaceFilesStep } from './steps/container-files.ts'

/** All of it is decided before the plan is made. */
export type UpdateContext = {
  containerId: string
  lockFile: string
  cgroupsPath: string
  /** In the order in which they are written; none where the container does not run. */
  limits: LimitChange[]
  /** config.json, and container.json where the engine's half changes. */
  files: Replacement[]
  host: HostFacts
}

/** The ordered steps that change a container. A pure function. Source: docker(1), `docker update`; cgroups(7). */
export function updatePlan(context: UpdateContext): Plan {
  const { containerId, cgroupsPath, limits, files, host } = context
  const rewrite = replaceFilesStep(
    'rewrite-configuration',
    'The container is started from its files the next time, so they say the same. Each is written beside and renamed over the old one: whoever reads it sees the old text or the new one. Last, so that a limit which the kernel refuses is written down nowhere.',
    files,
  )
  return {
    containerId,
    command: 'update',
    steps: [
      lockContainerStep(context),
      ...(limits.length > 0 ? [changeLimitsStep(cgroupsPath, limits, host)] : []),
      ...(files.length > 0 ? [rewrite] : []),
    ],
  }
}
