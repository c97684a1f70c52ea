// Ops on processes that run already: held by a descriptor, so that a PID used again is never meant (pidfd_open(2)).

import { words } from '../shell.ts'
import { cString, type Rows } from './row.ts'

type RunningOp =
  | 'open_process'
  | 'signal_process'
  | 'await_exit'
  | 'await_content'
  | 'await_absence'
  | 'end_server'

const NO_SLOT = -1

/** One row for each op on a running process. */
export const runningRows: Rows<RunningOp> = {
  open_process: {
    man: 'pidfd_open(2)',
    syscalls: ['pidfd_open', 'openat', 'read'],
    arguments: (op, resolve) => [op.pid, op.startTimeTicks, resolve.slot(op.as)],
    show: op => `${op.as} = pidfd_open(${op.pid}, 0), of the process that began at tick ${op.startTimeTicks}`,
    // The name, field 2, may hold anything; it ends at the last parenthesis. The start time is field 22.
    shell: op => ({
      run: `[ "$(sed 's/.*) //' /proc/${op.pid}/stat | cut -d ' ' -f 20)" = ${op.startTimeTicks} ] || { echo "PID ${op.pid} is another process by now, or none" >&2; exit 1; }`,
    }),
  },
  signal_process: {
    man: 'pidfd_send_signal(2)',
    syscalls: ['pidfd_send_signal'],
    arguments: (op, resolve) => [resolve.slot(op.slot), signalNumber(op.signal)],
    show: op => `pidfd_send_signal(${op.slot}, ${op.signal})`,
    shell: op => ({ run: words('kill', ...shellSignal(op.signal), String(op.pid)) }),
  },
  await_exit: {
    man: 'poll(2)',
    syscalls: ['poll', 'ppoll'],
    arguments: (op, resolve) => [resolve.slot(op.slot), op.timeoutMs],
    show: op => `poll(${op.slot}, POLLIN, ${op.timeoutMs})`,
    shell: op => ({ run: `${patience(op.timeoutMs)} tail --pid=${op.pid} -f /dev/null` }),
  },
  await_content: {
    man: 'read(2)',
    syscalls: ['open', 'openat', 'read'],
    arguments: op => [op.path, op.line, op.timeoutMs],
    show: op => `read(${cString(op.path)}) until there is a line ${cString(op.line)}`,
    shell: op => ({
      run: `${patience(op.timeoutMs)} sh -c 'until grep -qx "$1" "$2"; do sleep 0.01; done' sh ${words(op.line, op.path)}`,
    }),
  },
  await_absence: {
    man: 'access(2)',
    syscalls: ['access', 'faccessat', 'faccessat2', 'poll', 'ppoll'],
    arguments: (op, resolve) => [op.path, op.timeoutMs, op.remover ? resolve.slot(op.remover.slot) : NO_SLOT],
    show: op =>
      `access(${cString(op.path)}, F_OK) until it fails${op.remover ? `, or poll(${op.remover.slot}, POLLIN, 0) = 1` : ''}`,
    shell: ({ path, timeoutMs, remover }) => ({
      run: remover
        ? `${patience(timeoutMs)} sh -c 'while [ -e "$1" ] && [ -e "/proc/$2" ]; do sleep 0.01; done' sh ${words(path, String(remover.pid))}`
        : `${patience(timeoutMs)} sh -c 'while [ -e "$1" ]; do sleep 0.01; done' sh ${words(path)}`,
    }),
  },
  end_server: {
    man: 'pidfd_send_signal(2)',
    syscalls: [
      'open',
      'openat',
      'read',
      'pidfd_open',
      'pidfd_send_signal',
      'poll',
      'ppoll',
      'unlink',
      'unlinkat',
    ],
    arguments: op => [op.pidFile, op.timeoutMs],
    show: op => `pidfd_send_signal(pidfd_open(read(${cString(op.pidFile)})), SIGKILL), poll(), unlink()`,
    shell: op => ({ run: endServerCommand(words(op.pidFile), op.timeoutMs) }),
  },
}

/** Another process may have the PID by now. */
function endServerCommand(file: string, timeoutMs: number): string {
  const pid = `"$(cat ${file})"`
  const end = `kill -KILL ${pid} && ${patience(timeoutMs)} tail --pid=${pid} -f /dev/null`
  return `[ ! -e ${file} ] || { grep -qsF ${file} "/proc/$(cat ${file})/cmdline" && ${end}; rm ${file}; }`
}

const standardSignals =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  )
/** timeout(1) takes 0 for no limit. */
function patience(timeoutMs: number): string {
  return `timeout ${Math.max(timeoutMs, 1) / 1000}`
}

/** A shell knows the names of some signals, and all numbers. */
function shellSignal(text: string): string[] {
  const name = text.replace(/^SIG/, '')
  return standardSignals.includes(name) ? ['-s', name] : [`-${signalNumber(text)}`]
}

const FIRST_REAL_TIME = 34
const LAST_REAL_TIME = 64

/**
 * The number of a signal on x86-64 and arm64: `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`. Throws TypeError for what is none.
 * Source: signal(7); the real-time signals as the C library counts them.
 */
export function signalNumber(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, '')
  const [, end, offset] = /^RT(MIN|MAX)([+-]\d+)?$/.exec(name) ?? []
  const number = /^\d+$/.test(name)
    ? Number(name)
    : end
      ? (end === 'MIN' ? FIRST_REAL_TIME : LAST_REAL_TIME) + Number(offset ?? 0)
      : standardSignals.indexOf(synonyms[name] ?? name) + 1
  if (number < 1 || number > LAST_REAL_TIME) throw new TypeError(`unknown signal ${text}`)
  return number
}

const synonyms: Record<string, string> = { POLL: 'IO', CLD: 'CHLD', IOT: 'ABRT', UNUSED: 'SYS' }
