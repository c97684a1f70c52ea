// Ending a process that somebody else started: found so that it cannot be mistaken, asked, killed, its record awaited.

import type { Freezer } from '../freezer.ts'
import type { Op, Slot } from '../op.ts'
import type { Step } from '../step.ts'
import { endsWith, hostStep } from './container-step.ts'
import { thawOp } from './freeze.ts'
import type { ContainerProcess } from './join-container.ts'

/** poll(2) takes an int. */
const LONGEST_WAIT_MS = 2 ** 31 - 1
/** Until a killed process is gone: one in the middle of a disk's work ends when that is done. */
const KILL_WAIT_MS = 10_000
/** The monitor takes what is left of the output, and flushes its record to the disk. */
const RECORD_WAIT_MS = 10_000

const target: Slot = 'container-process'
const parent: Slot = 'monitor'

/** It has ended, before we began or since. */
const gone = ['ESRCH', 'EBADF']

/** Says, by a lock on this file, that somebody is here who cleans up after the end. */
export function announceEndStep(cleanerFile: string): Step {
  return stopStep(
    'announce-end',
    'When a container ends and nobody waits for it, its monitor starts minictr to clean up. Somebody is here who will: a lock on this file tells the monitor so. Where another command has it already, that one cleans up as well.',
    [{ op: 'lock', path: cleanerFile, waitMs: 0, as: 'cleaner', tolerate: ['EAGAIN', 'ENOENT'] }],
    'The kernel gives the lock back when its holder ends.',
  )
}

/** Holds the container's first process by a descriptor. */
export function findProcessStep({ pid, startTimeTicks }: ContainerProcess): Step {
  return stopStep(
    'find-process',
    'A PID may be another process’s by now. The descriptor is of one process for ever; that it is the right one is seen by the time it began.',
    [{ op: 'open_process', pid, startTimeTicks, as: target, tolerate: ['ESRCH'] }],
    'The kernel closes the descriptor when its holder ends.',
  )
}

/** One signal, and nothing more; a `freezer` lets the processes of a paused container go on with it. */
export function sendSignalStep({ pid }: ContainerProcess, signal: string, freezer?: Freezer): Step {
  return stopStep(
    'send-signal',
    `What happens now is the program’s affair. As PID 1 of its namespace it is spared what a signal does by itself: one that it does not catch has no effect, SIGKILL and SIGSTOP excepted.${whyThaw(freezer)}`,
    [{ op: 'signal_process', slot: target, pid, signal }, ...thaw(freezer)],
    'A signal that was sent cannot be taken back.',
  )
}

/** The signal by which this program wants to be ended, and the time for it. */
export function askToEndStep(
  { pid }: ContainerProcess,
  signal: string,
  timeoutMs: number,
  freezer?: Freezer,
): Step {
  return stopStep(
    'ask-to-end',
    `A program can catch this signal, and put its things in order before it ends. PID 1 of a namespace that does not catch it is not ended by it: that is why so many containers take the whole time.${whyThaw(freezer)}`,
    [
      { op: 'signal_process', slot: target, pid, signal, tolerate: gone },
      ...thaw(freezer),
      {
        op: 'await_exit',
        slot: target,
        pid,
        timeoutMs: Math.min(timeoutMs, LONGEST_WAIT_MS),
        tolerate: [...gone, 'ETIMEDOUT'],
      },
    ],
    endsWith.stopped,
  )
}

/** SIGKILL, and the end. */
export function killProcessStep({ pid }: ContainerProcess, freezer: Freezer): Step {
  return stopStep(
    'kill-process',
    'SIGKILL cannot be caught. When the first process of a PID namespace ends, the kernel kills all others in it; where it has ended already, this does nothing. A frozen process dies when it goes on, and somebody may have paused it just now.',
    [
      { op: 'signal_process', slot: target, pid, signal: 'SIGKILL', tolerate: gone },
      ...thaw(freezer),
      { op: 'await_exit', slot: target, pid, timeoutMs: KILL_WAIT_MS, tolerate: gone },
    ],
    endsWith.stopped,
  )
}

/** Waits until the monitor has nothing left to do for the container itself, or is not there any more. */
export function awaitRecordStep(socket: string, monitor: ContainerProcess | undefined): Step {
  const wait = { op: 'await_absence', path: socket, timeoutMs: RECORD_WAIT_MS } as const
  return stopStep(
    'await-record',
    'The monitor has the last output to write to the log, and the status to record. It closes its socket when that is done. One that was killed does nothing more, and leaves the socket where it is: it is not waited for.',
    monitor
      ? [
          { op: 'open_process', ...monitor, as: parent, tolerate: ['ESRCH'] },
          { ...wait, remover: { slot: parent, pid: monitor.pid }, tolerate: ['ETIMEDOUT', 'ESRCH'] },
        ]
      : [{ ...wait, tolerate: ['ETIMEDOUT'] }],
    endsWith.stopped,
  )
}

function thaw(freezer: Freezer | undefined): Op[] {
  return freezer ? [thawOp(freezer.path, freezer.thawed)] : []
}

function whyThaw(freezer: Freezer | undefined): string {
  return freezer ? ' It is paused: it gets the signal when it goes on, and is let go on.' : ''
}

function stopStep(id: string, why: string, ops: Op[], kernel: string): Step {
  return { ...hostStep(id, why, ops, 'run'), undo: { kernel } }
}
