// How a program gets into a container that runs: as plan.ts makes a container, but everything is there already, and is
// joined. What follows the joining are the very steps by which the container's own program was started.

import type { HostFacts } from './host.ts'
import type { StdinUse } from './op.ts'
import type { Spec } from './spec.ts'
import type { Plan } from './step.ts'
import { cgroupJoin } from './steps/cgroup.ts'
import {
  type ContainerProcess,
  findContainerStep,
  forkIntoRunning,
  joinContainerStep,
  joinRunningCgroup,
} from './steps/join-container.ts'
import { forkStep, sessionStep } from './steps/namespaces.ts'
import { keyringStep, oomScoreStep, privilegeSteps, resourceLimitStep } from './steps/privileges.ts'
import { closeDescriptorsStep, execStep, spawnInitStep, streamOwnerStep } from './steps/program.ts'
import { anotherTerminalStep } from './steps/terminal.ts'

/** All of it is decided before the plan is made. */
export type ExecContext = {
  containerId: string
  /** The container's first process, as the host sees it. */
  container: ContainerProcess
  /** The directory it joins on cgroup v2, below the mount point: the container's, or one that was made inside. */
  unifiedCgroup: string
  host: HostFacts
  stdin: StdinUse
}

/**
 * The ordered steps that start one more program in a running container. `spec` is the container's configuration with the
 * new process in place of its own. A pure function. Source: OCI runtime specification, config.md, "Process"; setns(2).
 */
export function execPlan(spec: Spec, context: ExecContext): Plan {
  const { containerId, container, unifiedCgroup, host, stdin } = context
  const steps = [
    // On the host: a monitor of its own, and its child.
    spawnInitStep(spec, stdin),

    // In the new process, still outside: find the container, and count with it.
    findContainerStep(container),
    joinRunningCgroup(
      cgroupJoin({ cgroupsPath: `/minictr/${containerId}`, ...spec.linux }, host, unifiedCgroup),
    ),
    ...oomScoreStep(spec),
    ...streamOwnerStep(spec, stdin),

    // Inside.
    joinContainerStep(spec, container),
    ...forkIntoRunning(forkStep(spec)),
    sessionStep(),
    ...anotherTerminalStep(spec),

    // Power is given up as in the container's own program, or this would be the way around it.
    keyringStep(containerId),
    ...resourceLimitStep(spec),
    closeDescriptorsStep(),
    ...privilegeSteps(spec, { host }),
    execStep(spec),
  ]
  return { containerId, command: 'exec', steps }
}
