// Pausing: all processes of a container stand still at once, whatever they are doing, and none of them can tell.

import type { Freezer } from '../freezer.ts'
import type { Op } from '../op.ts'
import type { Step } from '../step.ts'
import { hostStep } from './container-step.ts'

/** A process in the middle of a disk's work stands still when that is done. */
const FREEZE_WAIT_MS = 10_000

/** Freezes the container's cgroup, and waits until the last process has stopped. */
export function freezeStep({ path, frozen, statePath, frozenLine, thawed }: Freezer): Step {
  return hostStep(
    'freeze-cgroup',
    'SIGSTOP would be seen by the program’s parent, and has to be sent to each process while they go on making new ones. The freezer of cgroups takes all of them at once, and no program can catch it. The kernel stops each when it next comes out of it, so the word is written first, and the state is awaited.',
    [
      { op: 'write_file', path, content: frozen, how: 'existing' },
      { op: 'await_content', path: statePath, line: frozenLine, timeoutMs: FREEZE_WAIT_MS },
    ],
    'run',
    [thawOp(path, thawed)],
  )
}

/** Lets them go on. */
export function thawStep({ path, thawed, statePath, thawedLine }: Freezer): Step {
  const step = hostStep(
    'thaw-cgroup',
    'The processes go on where they stood still; signals that came meanwhile reach them now. Their clocks have gone on: what was to happen in the meantime happens at once.',
    [
      { op: 'write_file', path, content: thawed, how: 'existing' },
      { op: 'await_content', path: statePath, line: thawedLine, timeoutMs: FREEZE_WAIT_MS },
    ],
    'run',
  )
  return { ...step, undo: { kernel: 'They go on until minictr pause freezes them again.' } }
}

/** The same in passing, for whoever is about to end them: it does not matter whether they are frozen, or there at all. */
export function thawOp(path: string, thawed: string): Op {
  return { op: 'write_file', path, content: thawed, how: 'existing', tolerate: ['ENOENT', 'ENODEV'] }
}
