// Signals a person sends to `minictr run` reach the container's process, as if it ran right here (signal(7)).

import { constants } from 'node:os'
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
 */
export function forwardSignals(monitor: Monitor, options: { signalProxy: boolean; tty: boolean }) {
  const early: NodeJS.Signals[] = []
  let isStarted = false
  const pass = (signal: NodeJS.Signals) => {
    if (!isStarted) early.push(signal)
    else if (signal === 'SIGWINCH') monitor.tell('resize')
    else monitor.tell('signal', constants.signals[signal])
  }
  const caught = forwarded.filter(signal => (signal === 'SIGWINCH' ? options.tty : options.signalProxy))
  for (const signal of caught) process.on(signal, pass)
  return {
    start() {
      isStarted = true
      for (const signal of early.splice(0)) pass(signal)
    },
    stop() {
      for (const signal of caught) process.off(signal, pass)
    },
  }
}
