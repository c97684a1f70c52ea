// Which process is meant: a PID alone may be used again, a PID with its start time may not (proc_pid_stat(5)).

import { readFileSync } from 'node:fs'
import { errnoOf } from './errno.ts'

export type ProcessIdentity = { pid: number; startTimeTicks: string }

/** The identity of a running process, or undefined where none with this PID runs; a zombie no longer runs. */
export function identify(pid: number): ProcessIdentity | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return undefined
    throw error
  }
  // The name, field 2, may hold anything; it ends at the last parenthesis. The start time is field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  return { pid, startTimeTicks: fields[19]! }
}

/** Whether exactly this process still runs. */
export function isRunning(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startTimeTicks === process.startTimeTicks
}
