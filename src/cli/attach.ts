// minictr attach: connects this terminal, or these pipes, with a container that runs.

import { constants } from 'node:os'
import { Command } from 'commander'
import { recordContainerEvent } from '../containers/events-of-container.ts'
import { isPaused } from '../containers/frozen.ts'
import { findContainer } from '../containers/lookup.ts'
import { recover } from '../containers/recover.ts'
import { type Container, containerPaths } from '../containers/state.ts'
import { statusFor } from '../containers/unwritten.ts'
import { attach } from '../system/attach.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'
import { parseDetachKeys } from './flags/detach-keys.ts'
import { BROKEN_PIPE_STATUS } from './output.ts'
import { useTerminal } from './terminal-use.ts'

type Flags = { stdin: boolean; sigProxy: boolean; detachKeys?: string }

/** The `attach` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('attach')
    .summary('Attach local standard input, output, and error streams to a running container')
    .description('Attach local standard input, output, and error streams to a running container')
    .usage('[OPTIONS] CONTAINER')
    .argument('<container>', 'a name, an id, or the beginning of an id')
    .option('--detach-keys <string>', 'Override the key sequence for detaching a container')
    .option('--no-stdin', 'Do not attach STDIN')
    .option('--sig-proxy', 'Proxy all received signals to the process', true)
    .addHelpText(
      'after',
      `
Examples:
  minictr attach shell                          ctrl-p ctrl-q leaves it, and it goes on
  minictr attach --detach-keys ctrl-x shell     with another key for that
  minictr attach --no-stdin web                 only to see what it says from now on
  minictr attach --sig-proxy=false web          ^C ends the attaching, and not the container`,
    )
    .action((name: string, flags: Flags) => perform(name, flags, globals))
}

async function perform(name: string, flags: Flags, globals: GlobalOptions): Promise<void> {
  await recover(globals)
  const container = findContainer(globals, name)
  checkAttachable(container)
  const tty = container.spec.process.terminal === true
  const stdin = flags.stdin && container.record.stdin !== 'none'
  if (tty) await useTerminal(flags.stdin)
  recordContainerEvent(globals, container, 'attach')
  const end = await attachTo(container, globals, {
    stdin,
    signalProxy: flags.sigProxy && !tty,
    detachKeys: parseDetachKeys(flags.detachKeys ?? ''),
  })
  process.exitCode = end === 'detached' ? 1 : end
}

export type AttachFlags = { stdin: boolean; signalProxy: boolean; detachKeys: Uint8Array }

/** Connects with all streams; returns the container's status, or `detached` where the keys to leave it were typed. */
export async function attachTo(
  container: Container,
  globals: GlobalOptions,
  flags: AttachFlags,
): Promise<number | 'detached'> {
  const { socket } = containerPaths(globals, container.id)
  const tty = container.spec.process.terminal === true
  // Only what is typed has keys in it: what comes by a pipe may have any bytes.
  const detachKeys = tty ? flags.detachKeys : new Uint8Array()
  const end = await attach(socket, { ...flags, detachKeys, stdout: true, stderr: true, tty })
  if (typeof end === 'object' && end.errno === constants.errno.EPIPE) return BROKEN_PIPE_STATUS
  if (typeof end === 'object') return statusFor({ status: 0, signal: null, unwritten: end })
  if (end === 'detached') {
    process.stderr.write('\nread escape sequence\n')
    recordContainerEvent(globals, container, 'detach')
  }
  return end
}

/** Throws MinictrError in the words of Docker's command line. */
function checkAttachable(container: Container): void {
  const { name, status } = container
  if (status === 'restarting') {
    throw new MinictrError('You cannot attach to a restarting container, wait until it is running')
  }
  if (status !== 'running') {
    throw new MinictrError('You cannot attach to a stopped container, start it first', {
      remedy: `minictr start -a ${name}`,
    })
  }
  if (isPaused(container)) {
    throw new MinictrError('You cannot attach to a paused container, unpause it first', {
      remedy: `minictr unpause ${name}`,
    })
  }
}
