// The terminal: a pseudo terminal of the container's own, its controlling end kept by the monitor (pty(7)).

import type { Op } from '../op.ts'
import type { Spec } from '../spec.ts'
import type { Step } from '../step.ts'
import { containerStep, endsWith } from './container-step.ts'

const slot = 'terminal'

/** chown(2) takes it for the id a file has. */
const unchanged = -1

/** With a terminal asked for: opens it, makes it the container's console and its standard input, output and error. */
export function terminalSteps(spec: Spec): Step[] {
  if (!spec.process.terminal) return []
  return [
    containerStep(
      'open-terminal',
      'A pseudo terminal from the container’s own /dev/pts, so that tty(1) finds its name inside. The controlling end goes to the monitor through a socket; /dev/console shows the same terminal. After the old root has gone, so that an image whose /dev is a link cannot lead to a terminal of the host.',
      [
        openPty(spec),
        { op: 'mknod', path: '/dev/console', type: 'file', mode: 0o600, tolerate: ['EEXIST'] },
        { op: 'mount', source: '/dev/pts/0', target: '/dev/console', flags: ['MS_BIND'] },
        ...takeTerminal(spec),
      ],
      endsWith.process,
    ),
  ]
}

/** The same in a container that runs: its console stays as it is. */
export function anotherTerminalStep(spec: Spec): Step[] {
  if (!spec.process.terminal) return []
  return [
    containerStep(
      'open-another-terminal',
      'One more pseudo terminal of the container’s own /dev/pts, so that tty(1) finds its name inside; /dev/console stays what it was. The controlling end goes to the monitor through a socket. After the fork and setsid: a session takes its terminal by itself.',
      [openPty(spec), ...takeTerminal(spec)],
      endsWith.process,
    ),
  ]
}

function openPty({ process: { consoleSize: size } }: Spec): Op {
  return {
    op: 'open_pty',
    path: '/dev/pts/ptmx',
    as: slot,
    ...(size && { rows: size.height, columns: size.width }),
  }
}

/** The open terminal becomes standard input, output and error, and the session's own. */
function takeTerminal({ process: { user } }: Spec): Op[] {
  return [
    { op: 'dup2', slot, fd: 0 },
    ...(user.uid === 0 ? [] : [{ op: 'fchown', fd: 0, uid: user.uid, gid: unchanged } satisfies Op]),
    { op: 'dup2', slot, fd: 1 },
    { op: 'dup2', slot, fd: 2 },
    { op: 'close', slot },
    { op: 'set_controlling_terminal', fd: 0 },
  ]
}
