// How a container is made: read this page from top to bottom. Each line adds the steps of one kernel idea; the order is
// the order in which they are performed, and each step's own text says why it stands where it does.

import type { PlanContext } from './context.ts'
import { overlayOf, type Spec } from './spec.ts'
import type { Plan, Step } from './step.ts'
import { cgroupSteps } from './steps/cgroup.ts'
import { confirmRestartStep, containerFileSteps, lockContainerStep } from './steps/container-files.ts'
import { deviceSteps } from './steps/devices.ts'
import {
  announceNameStep,
  claimAddressesStep,
  configureLinksStep,
  linkSteps,
  networkFilesStep,
} from './steps/endpoints.ts'
import { linkedSteps } from './steps/links.ts'
import { mountSteps } from './steps/mounts.ts'
import * as namespaces from './steps/namespaces.ts'
import { networkSteps, recordNetworkStep } from './steps/networks.ts'
import { bindRootStep, overlaySteps } from './steps/overlay.ts'
import { maskPathsStep, pivotStep, readonlyPathsStep, readonlyRootStep, sysctlStep } from './steps/pivot.ts'
import { forwardPortsStep, holdPortsStep } from './steps/ports.ts'
import { keyringStep, oomScoreStep, privilegeSteps, resourceLimitStep } from './steps/privileges.ts'
import {
  closeDescriptorsStep,
  createWorkingDirectoryStep,
  execStep,
  spawnInitStep,
  streamOwnerStep,
} from './steps/program.ts'
import { resolverSteps } from './steps/resolver.ts'
import { sharedMemoryStep } from './steps/shared-memory.ts'
import { terminalSteps } from './steps/terminal.ts'
import * as userns from './steps/user-namespace.ts'
import { createVolumeSteps, fillVolumesStep } from './steps/volumes.ts'

/**
 * The ordered steps that make this container, from nothing to its running program: what `run` performs. A pure function: the
 * same input gives the same plan, and nothing is done. Source: OCI runtime specification, config.md and config-linux.md.
 */
export function plan(spec: Spec, context: PlanContext): Plan {
  const making = [...claimSteps(context), ...createSteps(spec, context)]
  const run = planOf('run', context, [...making, ...startSteps(spec, context)])
  return context.isKept ? { ...run, keptFrom: making.length } : run
}

/** What `create` performs: the container is there, and nothing of it runs. */
export function createPlan(spec: Spec, context: PlanContext): Plan {
  return planOf('create', context, createSteps(spec, context))
}

/** What `start` performs, the first time and every time after. */
export function startPlan(spec: Spec, context: PlanContext): Plan {
  return planOf('start', context, [
    lockContainerStep(context),
    ...confirmRestartStep(context),
    ...claimSteps(context),
    ...startSteps(spec, context),
  ])
}

/** What others may have taken: before anything is made. */
function claimSteps({ networks, containerId }: PlanContext): Step[] {
  return [
    ...recordNetworkStep(networks),
    ...claimAddressesStep(networks, containerId),
    ...holdPortsStep(networks),
  ]
}

/** On the host: what the container consists of, whether it runs or not. */
function createSteps(spec: Spec, context: PlanContext): Step[] {
  return [...containerFileSteps(spec, context, overlayOf(spec)), ...createVolumeSteps(spec, context)]
}

function startSteps(spec: Spec, context: PlanContext): Step[] {
  const { networks } = context
  const overlay = overlayOf(spec)
  const mapped = userns.hasUserNamespace(spec)
  const cgroup = cgroupSteps({ cgroupsPath: `/minictr/${context.containerId}`, ...spec.linux }, context.host)
  return [
    // On the host: the networks it will be in, and the bounds it will live in.
    ...networkSteps(networks),
    ...networkFilesStep(networks),
    ...sharedMemoryStep(context),
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
    ...fillVolumesStep(spec, context),

    // The other namespaces.
    ...namespaces.joinNamespaceSteps(spec),
    ...(mapped ? [userns.enterUserNamespaceStep(spec.root.path)] : []),
    ...namespaces.unshareStep(spec),
    ...namespaces.forkStep(spec),
    namespaces.sessionStep(),
    ...namespaces.hostnameStep(spec),
    ...namespaces.loopbackStep(spec),

    // On the host once more: a link into the network namespace, which the PID leads to. Then the process goes on.
    ...linkSteps(networks),
    ...forwardPortsStep(networks),
    ...announceNameStep(networks),
    ...resolverSteps(networks),
    ...linkedSteps(networks),
    ...configureLinksStep(networks),

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
}

function planOf(command: string, { containerId }: PlanContext, steps: Step[]): Plan {
  return { containerId, command, steps }
}
