// The two ways a step is undone: by ops of ours on the host, or by the kernel when a namespace or a process ends.

import type { Op } from '../op.ts'
import { inverses } from '../ops.ts'
import type { Step } from '../step.ts'

/** Why a container-side step needs no undoing. */
export const endsWith = {
  mountNamespace: 'The kernel unmounts it when the last process of the mount namespace has ended.',
  namespace: 'The kernel drops the namespace when its last process has ended.',
  process: 'It is a property of the process and ends with it.',
  stopped: 'What has ended stays so; minictr start begins it anew.',
  overlay: 'It lies in the container’s writable layer and goes when the container is removed.',
} as const

/** A step of the process that turns into the container. */
export function containerStep(
  id: string,
  why: string,
  ops: Op[],
  kernel: string = endsWith.mountNamespace,
): Step {
  return { id, side: 'container', why, ops, undo: { kernel }, lasts: 'run' }
}

/** A step on the host; undone by the inverses of its ops unless other ops are given. */
export function hostStep(
  id: string,
  why: string,
  ops: Op[],
  lasts: Step['lasts'],
  undo: Op[] = inverses(ops),
): Step {
  return { id, side: 'host', why, ops, undo, lasts }
}
