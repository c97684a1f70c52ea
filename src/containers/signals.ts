// Signals a person sends to `minictr run` reach the container's process, as if it ran right here (signal(7)).

import { readFileSync } from 'node:fs'
import type { Monitor } from '../system/monitor.ts'

const forwarded = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGURG',
  'SIGWINCH',
] as const

/**
 * Catches the signals at once, holds them back until `start`, when the container's program runs, then passes each on.
 * A change of the window's size becomes a change of the terminal's size. `stop` gives the signals back their usual effect.
 * A person whose Ctrl-C cannot do anything is told why, once; `name` is the container's.
 */
export function forwardSignals(monitor: Monitor, options: { signalProxy: boolean; tty: boolean }) {
  const early: [NodeJS.Signals, number][] = []
  let program: { pid: number; name: string } | undefined
  let isTold = false
  const pass = (signal: NodeJS.Signals, number: number) => {
    if (!program) early.push([signal, number])
    else if (signal === 'SIGWINCH') monitor.tell('resize')
    else {
      // Looked at before the signal wakes it.
      const isExplained = !isTold && process.stderr.isTTY && isWithoutEffect(signal, number, program.pid)
      monitor.tell('signal', number)
      if (!isExplained) return
      isTold = true
      process.stderr.write(explanation(signal, program.name))
    }
  }
  const caught = forwarded.filter(signal => (signal === 'SIGWINCH' ? options.tty : options.signalProxy))
  for (const signal of caught) process.on(signal, pass)
  return {
    start(pid: number, name: string) {
      program = { pid, name }
      for (const [signal, number] of early.splice(0)) pass(signal, number)
    },
    stop() {
      for (const signal of caught) process.off(signal, pass)
    },
  }
}

/**
 * PID 1 of a namespace is spared what a signal would do to it by itself. Source: pid_namespaces(7), proc_pid_status(5),
 * proc_pid_wchan(5).
 */
function isWithoutEffect(signal: NodeJS.Signals, number: number, pid: number): boolean {
  if (!['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'].includes(signal)) return false
  let status: string
  let sleepsIn: string
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8')
    sleepsIn = readFileSync(`/proc/${pid}/wchan`, 'utf8')
  } catch {
    return false
  }
  const bit = 1n << BigInt(number - 1)
  const mask = (name: string) =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? 'f'}`)
  // One that is blocked may be waited for; while sigwaitinfo(2) does wait, as in --init and tini, it is shown as not blocked.
  const isHeard = ((mask('SigCgt') | mask('SigBlk')) & bit) !== 0n || sleepsIn.includes('sigtimedwait')
  return /^NSpid:.*\t1$/m.test(status) && !isHeard
}

function explanation(signal: NodeJS.Signals, name: string): string {
  return (
    `\nminictr: ${signal} does nothing here: the program does not catch it, and as PID 1 it is not ended by it either.\n` +
    `From another terminal, minictr rm --force ${name} ends it; with --init, Ctrl-C does.\n`
  )
}
