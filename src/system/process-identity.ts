// Which process is meant: a PID alone may be used again, a PID with its start time may not (proc_pid_stat(5)).

import { readFileSync } from 'node:fs'
import { errnoOf } from './errno.ts'

export type ProcessIdentity = { pid: number; startTimeTicks: string }

/** The identity of a running process, or undefined where none with this PID runs; a zombie no longer runs. */
export function identify(pid: number): ProcessIdentity | undefined {
  const found = look(pid)
  return found?.runs ? { pid, startTimeTicks: found.startTimeTicks } : undefined
}

/** The same of a child of `parentPid`, also when it has ended, as long as that one has not waited for it. */
export function identifyChild(pid: number, parentPid: number): ProcessIdentity | undefined {
  const found = look(pid)
  return found?.parentPid === parentPid ? { pid, startTimeTicks: found.startTimeTicks } : undefined
}

function look(pid: number): { startTimeTicks: string; parentPid: number; runs: boolean } | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return undefined
    throw error
  }
  // The name, field 2, may hold anything; it ends at the last parenthesis. The parent is field 4, the start time field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    startTimeTicks: fields[19]!,
    parentPid: Number(fields[1]),
    runs: fields[0] !== 'Z' && fields[0] !== 'X',
  }
}

/** Whether exactly this process still runs. */
export function isRunning(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startTimeTicks === process.startTimeTicks
}

/** Whether both are one process, or none. */
export function isSameProcess(one: ProcessIdentity | undefined, other: ProcessIdentity | undefined): boolean {
  return one?.pid === other?.pid && one?.startTimeTicks === other?.startTimeTicks
}
