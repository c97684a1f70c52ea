// minictr start: starts containers that do not run, in the background, or one of them in front of us.

import { Command } from 'commander'
import { isPaused } from '../containers/frozen.ts'
import { findContainer } from '../containers/lookup.ts'
import { planStart } from '../containers/plan-start.ts'
import { recover } from '../containers/recover.ts'
import { startContainer } from '../containers/start.ts'
import type { Container } from '../containers/state.ts'
import type { Subject } from '../learn/explain.ts'
import { summaryOf } from '../learn/summary.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'
import { eachName } from './each-name.ts'
import { parseDetachKeys } from './flags/detach-keys.ts'
import { sayLeftovers } from './leftovers.ts'
import { oneContainer } from './planned-container.ts'
import { useTerminal } from './terminal-use.ts'
import { usageError } from './usage-error.ts'
import { type WatchFlags, watchingOf, watchOptions } from './watch-options.ts'

type Flags = WatchFlags & { attach?: boolean; interactive?: boolean; detachKeys?: string }

export const saysLittle = true

/** The `start` command of commander. */
export function command(globals: GlobalOptions): Command {
  const start = new Command('start')
    .summary('Start one or more stopped containers')
    .description('Start one or more stopped containers')
    .usage('[OPTIONS] CONTAINER [CONTAINER...]')
    .argument('<container...>', 'names, ids, or beginnings of ids')
    .option('-a, --attach', 'Attach STDOUT/STDERR and forward signals')
    .option('--detach-keys <string>', 'Override the key sequence for detaching a container')
    .option('-i, --interactive', "Attach container's STDIN")
  return watchOptions(start)
    .addHelpText(
      'after',
      `
Examples:
  minictr start web                in the background
  minictr start -ai shell          in front of you, as with run; ctrl-p ctrl-q leaves it
  minictr start --timing web       with the time that each step takes
  minictr explain start web        which steps that are, performing none`,
    )
    .action((names: string[], flags: Flags) => perform(names, flags, globals))
}

async function perform(names: string[], flags: Flags, globals: GlobalOptions): Promise<void> {
  const isInFront = flags.attach || flags.interactive
  if (isInFront && names.length > 1) {
    throw usageError('you cannot start and attach multiple containers at once', 'minictr start')
  }
  await recover(globals)
  if (isInFront) process.exitCode = await inFront(startable(names[0]!, globals), flags, globals)
  else await inBackground(names, flags, globals)
}

async function inBackground(names: string[], flags: Flags, globals: GlobalOptions): Promise<void> {
  const watch = await watchingOf(flags)
  const failed = await eachName(names, globals, async name => {
    const { how } = await startContainer(startable(name, globals).id, globals, { observer: watch?.observer })
    return how === 'quit' ? undefined : name
  }).finally(watch?.finish)
  if (failed.length > 0) throw new MinictrError(`failed to start containers: ${failed.join(', ')}`)
}

/** Starts it in front of us; returns the status of its program. */
async function inFront(container: Container, flags: Flags, globals: GlobalOptions): Promise<number> {
  const stdin = flags.interactive === true && container.record.stdin !== 'none'
  const tty = container.spec.process.terminal === true
  const connection = { stdin, signalProxy: !tty, detachKeys: parseDetachKeys(flags.detachKeys ?? '') }
  // Unlike `run` and `attach`, Docker's `start` takes what is typed from a pipe as well.
  const terminalSize = tty ? await useTerminal(false) : undefined
  const watch = await watchingOf(flags)
  const result = await startContainer(container.id, globals, {
    attachment: { ...connection, stdout: true, stderr: true },
    ...(terminalSize && { terminalSize }),
    observer: watch?.observer,
  })
    .catch(withDockersStatus)
    .finally(watch?.finish)
  if (result.how === 'left') return 0
  if (result.how === 'running') {
    const { attachTo } = await import('./attach.ts')
    const end = await attachTo(container, globals, connection)
    return end === 'detached' ? 0 : end
  }
  sayLeftovers(result.leftovers)
  return result.how === 'ended' ? result.exitStatus : 0
}

/** Unlike `run`, `start` has one status for all that keeps a container from being started. */
function withDockersStatus(error: unknown): never {
  if (error instanceof MinictrError) error.exitStatus = 1
  throw error
}

function startable(name: string, globals: GlobalOptions): Container {
  const container = findContainer(globals, name)
  if (container.status === 'running' && isPaused(container)) {
    throw new MinictrError('cannot start a paused container, try unpause instead', {
      remedy: `minictr unpause ${container.name}`,
    })
  }
  return container
}

/** What `explain start` and `script start` are about. */
export async function subject(words: string[], _: object, globals: GlobalOptions): Promise<Subject> {
  const container = oneContainer(words, globals)
  if (container.status === 'running') {
    throw new MinictrError(`container ${container.name} runs already: to start it takes no steps`, {
      remedy: `minictr explain restart ${container.name}`,
    })
  }
  const { plan, spec, record } = await planStart(container, globals)
  return { plan, summary: summaryOf(spec, record) }
}
