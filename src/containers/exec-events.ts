// Docker's events of one more program in a container: of an exec, and of a probe of its health.

import { randomBytes } from '../system/random.ts'
import { recordContainerEvent } from './events-of-container.ts'
import type { Container, Roots } from './state.ts'

/** Tells what becomes of a program, each time with the same id: `exec_create` and `exec_start`, then its end with its status. */
export type ExecTeller = { starts(): void; died(exitStatus: number): void }

/** Who tells it of a command in a container. Source: moby, daemon/exec.go. */
export function execTeller(
  container: Pick<Container, 'id' | 'record'>,
  command: string[],
  roots: Roots,
): ExecTeller {
  const execID = randomBytes(32).toString('hex')
  const tell = (action: string, more: Record<string, string> = {}) =>
    recordContainerEvent(roots, container, action, { execID, ...more })
  return {
    starts() {
      for (const action of ['exec_create', 'exec_start']) tell(`${action}: ${command.join(' ')}`)
    },
    died(exitStatus) {
      tell('exec_die', { exitCode: String(exitStatus) })
    },
  }
}
