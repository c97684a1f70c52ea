// minictr system shutdown: stops all containers with the machine, so that they start again with it.

import { join } from 'node:path'
import { Command } from 'commander'
import { listContainers } from '../containers/lookup.ts'
import { recover } from '../containers/recover.ts'
import type { Container } from '../containers/state.ts'
import { stopContainer } from '../containers/stop.ts'
import { LayerStore } from '../images/layers.ts'
import { MinictrError } from '../system/error.ts'
import { spawnExecutor } from '../system/executor.ts'
import type { GlobalOptions } from './command.ts'

/** The `system shutdown` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('shutdown')
    .usage('[OPTIONS]')
    .summary('Stop all containers, until the next boot')
    .description(
      "Stop all containers, as before the machine goes down: all at once, each by its own signal and within its own time. Unlike after 'stop', their restart policies are asked again at the next boot.",
    )
    .addHelpText(
      'after',
      `
'minictr system install-service' has systemd call it when the machine goes down.

Examples:
  minictr system shutdown && minictr system boot     as if the machine were booted`,
    )
    .action(() => perform(globals))
}

async function perform(globals: GlobalOptions): Promise<void> {
  await recover(globals)
  const up = listContainers(globals).filter(({ status }) => status === 'running' || status === 'restarting')
  const outcomes = await Promise.allSettled(up.map(container => stop(container, globals)))
  // The machine flushes all of it now in any case; without the note the layers would be unpacked again after the boot.
  await new LayerStore(join(globals.root, 'layers')).settle()
  const failures = outcomes.flatMap((outcome, index) =>
    outcome.status === 'rejected' ? `${up[index]!.name}: ${(outcome.reason as Error).message}` : [],
  )
  if (failures.length === 0) return
  throw new MinictrError(`not every container could be stopped:\n${failures.join('\n')}`)
}

async function stop(container: Container, globals: GlobalOptions): Promise<void> {
  const { executor, close } = spawnExecutor()
  try {
    await stopContainer(container, globals, executor, { why: 'shutdown' })
    process.stdout.write(`${container.name}\n`)
  } finally {
    await close()
  }
}
