// How a container is made: read this page from top to bottom. Each line adds the steps of one kernel idea; the order is
// the order in which they are performed, and each step's own text says why it stands where it does.

import type { PlanContext } from './context.ts'
import { annotation, type OverlaySource, type Spec } from './spec.ts'
import type { Plan } from './step.ts'
import { cgroupSteps } from './steps/cgroup.ts'
import { containerFileSteps } from './steps/container-files.ts'
import { deviceSteps } from './steps/devices.ts'
import { mountSteps } from './steps/mounts.ts'
import * as namespaces from './steps/namespaces.ts'
import { bindRootStep, overlaySteps } from './steps/overlay.ts'
import { maskPathsStep, pivotStep, readonlyPathsStep, readonlyRootStep, sysctlStep } from './steps/pivot.ts'
import { keyringStep, oomScoreStep, privilegeSteps, resourceLimitStep } from './steps/privileges.ts'
import {
  closeDescriptorsStep,
  createWorkingDirectoryStep,
  execStep,
  spawnInitStep,
  streamOwnerStep,
} from './steps/program.ts'
import { terminalSteps } from './steps/terminal.ts'
import * as userns from './steps/user-namespace.ts'

/**
 * The ordered steps that make this container, from nothing to its running program. A pure function: the same input
 * gives the same plan, and nothing is done. Source: OCI runtime specification, config.md and config-linux.md.
 */
export function plan(spec: Spec, context: PlanContext): Plan {
  const overlay = overlayOf(spec)
  const mapped = userns.hasUserNamespace(spec)
  const cgroup = cgroupSteps({ cgroupsPath: `/minictr/${context.containerId}`, ...spec.linux }, context.host)
  const steps = [
    // On the host: what the container consists of, and the bounds it will live in.
    ...containerFileSteps(spec, context, overlay),
    ...cgroup.create,
    spawnInitStep(spec, context.stdin),

    // In the new process: its cgroup, then a mount namespace, then the root file system.
    cgroup.join,
    ...oomScoreStep(spec),
    ...streamOwnerStep(spec, context.stdin),
    ...(mapped ? [userns.createUserNamespaceStep(spec)] : []),
    namespaces.mountNamespaceStep(spec),
    ...(overlay
      ? overlaySteps(spec, overlay, context.runDirectory, userns.slotIfMapped(spec))
      : [bindRootStep(spec)]),

    // The other namespaces. The veth pair of a bridge network belongs after the fork, when there is a PID to give it to.
    ...namespaces.joinNamespaceSteps(spec),
    ...(mapped ? [userns.enterUserNamespaceStep(spec.root.path)] : []),
    ...namespaces.unshareStep(spec),
    ...namespaces.forkStep(spec),
    namespaces.sessionStep(),
    ...namespaces.hostnameStep(spec),
    ...namespaces.loopbackStep(spec),

    // The file systems every program expects, and those asked for; then the old root goes.
    ...mountSteps(spec, context),
    ...deviceSteps(spec),
    ...createWorkingDirectoryStep(spec),
    ...maskPathsStep(spec),
    pivotStep(spec),
    ...terminalSteps(spec),
    ...sysctlStep(spec),
    ...readonlyRootStep(spec),
    ...readonlyPathsStep(spec),

    // Power is given up last, because everything above needed it.
    keyringStep(context.containerId),
    ...resourceLimitStep(spec),
    closeDescriptorsStep(),
    ...privilegeSteps(spec, context),
    execStep(spec),
  ]
  return { containerId: context.containerId, steps }
}

function overlayOf(spec: Spec): OverlaySource | undefined {
  const text = spec.annotations[annotation.overlay]
  return text === undefined ? undefined : (JSON.parse(text) as OverlaySource)
}
