// create: a container is made and not started.

import type { Image } from '../images/store.ts'
import { Journal } from '../runtime/journal.ts'
import { type Observer, perform } from '../runtime/perform.ts'
import { performOps } from '../runtime/perform-ops.ts'
import { StepError } from '../runtime/step-error.ts'
import type { MinictrError } from '../system/error.ts'
import { Monitor } from '../system/monitor.ts'
import { identify } from '../system/process-identity.ts'
import { withCidFile } from './cid-file.ts'
import { recordContainerEvent } from './events-of-container.ts'
import { asUsersError } from './launch.ts'
import { untilNothingIsLost } from './lost-race.ts'
import type { RunOptions } from './options.ts'
import { END_COMMAND, ownCommand, runArguments } from './own-commands.ts'
import { type PlannedContainer, planRun, type RunSettings } from './plan-run.ts'
import { recordStartError } from './start-error.ts'
import { containerPaths } from './state.ts'
import { warnOnce } from './warnings.ts'

/**
 * Makes a container; returns its id, or undefined where somebody who watched the steps did not go on. Throws StepError when a
 * step fails (everything is undone by then), MinictrError for wishes that cannot be met.
 */
export async function createContainer(
  options: RunOptions,
  settings: RunSettings,
  { observer, image }: { observer?: Observer; image?: Image } = {},
): Promise<string | undefined> {
  const warn = warnOnce()
  return await withCidFile(options.cidFile, writeId =>
    untilNothingIsLost(async () => {
      const monitor = Monitor.ofLauncher() ?? Monitor.spawn({ stdin: 'ignore' })
      try {
        const planned = await planRun(options, settings, image, 'create')
        warn(planned.warnings)
        writeId(planned.id)
        return await makeContainer(planned, settings, monitor, { observer })
      } finally {
        monitor.close()
      }
    }),
  )
}

/**
 * Performs the plan of a container that is made and not started; `startError`: why it cannot be. Returns its id, and throws, as
 * `createContainer`.
 */
export async function makeContainer(
  planned: PlannedContainer,
  settings: RunSettings,
  monitor: Monitor,
  { observer, startError }: { observer?: Observer; startError?: MinictrError },
): Promise<string | undefined> {
  const owner = identify(monitor.pid)
  const { argv, environment } = ownCommand(settings, END_COMMAND, planned.id, ...runArguments(owner))
  monitor.tell('on_orphan', argv, environment)
  const journal = new Journal(containerPaths(settings, planned.id).runDirectory, owner)
  const executors = { host: monitor.host, container: monitor.init }
  const outcome = await perform(planned.plan, executors, journal, observer).catch(error => {
    if (!(error instanceof StepError)) throw error
    // All that can be undone is; after any other error the monitor sees to it.
    monitor.tell('on_orphan', [], [])
    throw asUsersError(error, planned)
  })
  if (!('quit' in outcome)) {
    if (startError) recordStartError(settings, planned.id, startError)
    // From here on it is a container, and what has made it is not to be undone by a crash.
    await performOps(journal.forgetting(), monitor.host)
    recordContainerEvent(settings, planned, 'create')
  }
  monitor.tell('on_orphan', [], [])
  return 'quit' in outcome ? undefined : planned.id
}
