// start: a container that is there and does not run gets its program once more.

import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Journal } from '../runtime/journal.ts'
import type { Observer } from '../runtime/perform.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import { Monitor } from '../system/monitor.ts'
import { isRunning } from '../system/process-identity.ts'
import { visible } from '../system/visible.ts'
import { endRun } from './end.ts'
import { type Attachment, type LaunchResult, launch, type PolicyRestart } from './launch.ts'
import { untilNothingIsLost } from './lost-race.ts'
import type { RunSettings } from './plan-run.ts'
import { planStart, type TerminalSize } from './plan-start.ts'
import { type Container, containerPaths, NoSuchContainerError, readContainer } from './state.ts'

export type StartOptions = {
  /** Undefined: it is left to itself as soon as it runs. */
  attachment?: Attachment
  terminalSize?: TerminalSize
  /** Its restart policy asks for it, and this process has waited for that. */
  restart?: PolicyRestart
  observer?: Observer
}

/** Another command may be starting it, or undoing its last run: both take milliseconds. */
const PATIENCE_MS = 10_000
const LOOK_AGAIN_MS = 10

/**
 * Starts a container. The result is `running` where it runs already. Throws StepError when a step fails (everything is undone by
 * then), MinictrError for a program that cannot be started, and where another command does not let go of the container.
 */
export async function startContainer(
  id: string,
  settings: RunSettings,
  options: StartOptions = {},
): Promise<LaunchResult | { how: 'running' }> {
  return await untilNothingIsLost(() => startOnce(id, settings, options))
}

async function startOnce(
  id: string,
  settings: RunSettings,
  { attachment, terminalSize, restart, observer }: StartOptions,
): Promise<LaunchResult | { how: 'running' }> {
  const monitor = Monitor.ofLauncher() ?? Monitor.spawn({ stdin: attachment?.stdin ? 'inherit' : 'ignore' })
  let result: LaunchResult | { how: 'running' } | undefined
  try {
    for (const untilMs = Date.now() + PATIENCE_MS; result === undefined; ) {
      const container = await readyToStart(id, settings, monitor, untilMs, restart !== undefined)
      if (container === undefined) return { how: 'running' }
      const planned = await planStart(container, settings, {
        terminalSize,
        isByPolicy: restart !== undefined,
        executor: monitor.host,
      })
      for (const warning of planned.warnings) process.stderr.write(`WARNING: ${visible(warning)}\n`)
      result = await launch(planned, settings, monitor, { attachment, observer, restart }).catch(error => {
        if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw error
        // Somebody else was quicker: the run directory is his, and so is its end.
        monitor.tell('on_orphan', [], [])
        return undefined
      })
    }
    return result
  } finally {
    if (result?.how !== 'left') monitor.close()
  }
}

/** The container, when nothing is left of its last run; undefined where it runs. */
async function readyToStart(
  id: string,
  settings: RunSettings,
  monitor: Monitor,
  untilMs: number,
  isByPolicy: boolean,
): Promise<Container | undefined> {
  const { runDirectory } = containerPaths(settings, id)
  for (;;) {
    const container = readContainer(settings, id)
    if (!container) throw new NoSuchContainerError(id)
    if (container.status === 'running') return undefined
    if (container.status === 'restarting' && !isByPolicy) await takeOver(id, settings, monitor)
    if (!existsSync(runDirectory)) return container
    const owner = new Journal(runDirectory).owner()
    if (!owner || !isRunning(owner)) await endRun(settings, id, monitor.host, { owner })
    else if (Date.now() < untilMs) await sleep(LOOK_AGAIN_MS)
    else {
      throw new MinictrError(`container ${container.name} is being started or ended by another command`, {
        remedy: 'Wait for that command, or end it, and start the container again.',
      })
    }
  }
}

/** Whoever starts it now need not wait for its policy. */
async function takeOver(id: string, settings: RunSettings, monitor: Monitor): Promise<void> {
  const [{ withContainerLock }, { cancelRestart }] = await Promise.all([
    import('./container-lock.ts'),
    import('./restart-wait.ts'),
  ])
  await withContainerLock(settings, id, monitor.host, () => cancelRestart(settings, id))
}
