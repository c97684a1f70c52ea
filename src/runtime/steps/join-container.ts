// Going into a container that runs: its cgroup, then all its namespaces at once (setns(2), pidfd_open(2)).

import type { Op } from '../op.ts'
import type { Spec } from '../spec.ts'
import type { Step } from '../step.ts'
import { containerStep, endsWith } from './container-step.ts'
import { kernelName } from './namespaces.ts'

/** The container's first process: a PID alone may be used again, a PID with its start time may not. */
export type ContainerProcess = { pid: number; startTimeTicks: string }

const slot = 'container'

/** Holds the container's first process by a descriptor. */
export function findContainerStep({ pid, startTimeTicks }: ContainerProcess): Step {
  return containerStep(
    'find-container',
    'The container’s first process is taken hold of by a descriptor. Its number alone could be another process’s by now; the time it began tells them apart, and what the descriptor stands for never changes. Before all else: if it is gone, nothing has been done yet.',
    [{ op: 'open_process', pid, startTimeTicks, as: slot }],
    endsWith.process,
  )
}

/** The step by which init of a run joins its cgroup, told for a cgroup that is in use. */
export function joinRunningCgroup(join: Step): Step {
  return {
    ...join,
    why: 'The new process counts with the others of the container, and is held by the same limits, from its first own instruction on. While the host’s cgroup directories can still be reached: in the namespaces that follow there may be none.',
  }
}

/** Enters every namespace that is not the host's; with a user namespace, as its root. */
export function joinContainerStep(spec: Spec, { pid }: ContainerProcess): Step {
  const namespaces = spec.linux.namespaces.map(({ type }) => kernelName(type))
  const asRoot: Op[] = namespaces.includes('user')
    ? [
        { op: 'setresgid', gid: 0 },
        { op: 'setresuid', uid: 0 },
      ]
    : []
  return containerStep(
    'join-container',
    `What makes a process part of a container is that it sees with the same namespaces: ${namespaces.join(', ')}. One call takes them all or none. With the mount namespace, root and working directory become the container’s, so no file of the host can be reached from here on. The container’s processes can see this one from now on, but not look into it: the executor is a sealed copy in memory, and is not dumpable, so that only who may trace any process opens its /proc/PID/exe, fd and cwd (CVE-2019-5736).`,
    [{ op: 'setns', slot, namespaces, pid }, { op: 'close', slot }, ...asRoot],
    endsWith.process,
  )
}

/** The fork of a run, told for a PID namespace that has a first process. */
export function forkIntoRunning(fork: Step[]): Step[] {
  return fork.map(step => ({
    ...step,
    why: 'A process never changes its PID, so only its children live in the PID namespace that was joined: the next number there is the child’s. The parent reports its PID on the host and ends; the monitor, a child subreaper, becomes the parent. When the container’s PID 1 ends, the kernel kills this process too.',
    undo: { kernel: 'The kernel kills every process of a PID namespace when its PID 1 ends.' },
  }))
}
