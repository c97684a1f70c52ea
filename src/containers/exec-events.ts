// Docker's events of one more program in a container: of an exec, and of a probe of its health.

import { randomBytes } from '../system/random.ts'
import { type HappenedEvent, recordEvent } from './events.ts'
import { containerEvent } from './events-of-container.ts'
import type { Container, Roots } from './state.ts'

/** Tells what becomes of a program, each time with the same id: `exec_create` and `exec_start`, then its end with its status. */
export type ExecTeller = { starts(): void; died(exitStatus: number): void }

type Told = Pick<Container, 'id' | 'record'>

/** Who tells it of a command in a container. */
export function execTeller(container: Told, command: string[], roots: Roots): ExecTeller {
  const execID = randomBytes(32).toString('hex')
  return {
    starts() {
      for (const event of startEvents(container, command.join(' '), execID)) recordEvent(roots, event)
    },
    died(exitStatus) {
      recordEvent(roots, endEvent(container, String(exitStatus), execID))
    },
  }
}

/** The events of an exec's start. Source: moby, daemon/exec.go. */
export function startEvents(container: Told, command: string, execID: string): HappenedEvent[] {
  return ['exec_create', 'exec_start'].map(action =>
    containerEvent(container, `${action}: ${command}`, { execID }),
  )
}

/** The event of its end. */
export function endEvent(container: Told, exitCode: string, execID: string): HappenedEvent {
  return containerEvent(container, 'exec_die', { execID, exitCode })
}
