// The shape of a plan: ordered steps, each a few operations on the kernel and how they are taken back.

import type { Op } from './op.ts'

/**
 * One step of a plan.
 *
 * `host` steps are performed by the monitor, which stays in the host's namespaces; `container` steps by init, the
 * process that turns into the container.
 */
export type Step = {
  /** kebab-case verb-noun, unique in a plan, stable: docs and labs point at it. */
  id: string
  side: 'host' | 'container'
  /** What a learner reads: what this is for, and why here in the order. */
  why: string
  ops: Op[]
  /** How the step is undone, or why the kernel undoes it by itself. */
  undo: Op[] | { kernel: string }
  /** The side that undoes it, where that is the other one: what lies in the container’s namespaces is found only there. */
  undoneBy?: 'container'
  /** Until when it holds: `run` is undone when the process has ended, `container` when the container is removed. */
  lasts: 'run' | 'container'
}

/** All that will be done to one container by a command, decided before anything is done. */
export type Plan = {
  containerId: string
  /** The command that performs it: `run`. */
  command: string
  steps: Step[]
  /**
   * From this step on, counted from 0, nothing can be taken back: what is left half-way is gone on with by a later command.
   */
  onwardFrom?: number
  /**
   * From this step on, counted from 0, the container is made, and stays where a later step fails: what was made before it, and
   * lasts as long as the container, is not taken back then.
   */
  keptFrom?: number
}

/** What takes a step back that was performed, by the step's id; `container`: a process in the container's namespaces does it. */
export type Undo = { step: string; undo: Op[]; side?: 'container' }

/** Some steps of a plan, by their numbers counted from 0: from one up to another, which is none of them. */
export type Range = { from?: number; to?: number }
