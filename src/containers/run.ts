// run: a container is made and started by one plan. The monitor is started first, by the launcher even before Node, so that
// it gets ready while Node still plans.

import type { Image } from '../images/store.ts'
import type { Observer } from '../runtime/perform.ts'
import type { StepError } from '../runtime/step-error.ts'
import { MinictrError } from '../system/error.ts'
import { Monitor } from '../system/monitor.ts'
import { withCidFile } from './cid-file.ts'
import { type Attachment, type LaunchResult, launch } from './launch.ts'
import { LostRaceError, untilNothingIsLost } from './lost-race.ts'
import type { RunOptions } from './options.ts'
import { planRun, type RunSettings } from './plan-run.ts'
import { failedStep } from './start-error.ts'
import { warnOnce } from './warnings.ts'

export type RunContext = {
  observer?: Observer
  image?: Image
  /** Called with the container's id as soon as its program runs. */
  onRunning?(id: string): void
}

/** `failed`: the container could not be started; it is there all the same, unless it was to go at its end (--rm). */
export type RunResult =
  | Exclude<LaunchResult, { how: 'failed' }>
  | { how: 'failed'; id: string; error: MinictrError }

/**
 * Makes a container and runs its program: in the foreground to its end, or with `detach` until it runs.
 *
 * The status is the program's own, or 128+n when signal n ended it. Throws MinictrError where the container cannot be made, and
 * StepError when a step of that fails (everything is undone by then). A program that cannot be executed or is not there gives an
 * error with status 126 or 127. Source: moby, daemon/start.go.
 */
export async function runContainer(
  options: RunOptions,
  settings: RunSettings,
  context: RunContext = {},
): Promise<RunResult> {
  const warn = warnOnce()
  return await withCidFile(options.cidFile, writeId =>
    untilNothingIsLost(async () => {
      try {
        return await makeAndStart(options, settings, { ...context, warn, writeId })
      } catch (error) {
        if (!(error instanceof MinictrError) || !isOfStart(error)) throw error
        return await makeOnly(error, options, settings, { ...context, warn, writeId })
      }
    }),
  )
}

type Making = RunContext & { warn(warnings: string[]): void; writeId(id: string): void }

async function makeAndStart(
  options: RunOptions,
  settings: RunSettings,
  { observer, image, onRunning, warn, writeId }: Making,
): Promise<RunResult> {
  const reads = options.interactive && !options.detach ? 'inherit' : 'ignore'
  const monitor = Monitor.ofLauncher() ?? Monitor.spawn({ stdin: reads })
  let result: LaunchResult | undefined
  try {
    const planned = await planRun(options, settings, image, 'run', monitor.host)
    warn(planned.warnings)
    writeId(planned.id)
    result = await launch(planned, settings, monitor, {
      ...(!options.detach && { attachment: attachmentOf(options) }),
      isNew: true,
      observer,
      onRunning: () => onRunning?.(planned.id),
    })
    return result.how === 'failed' ? { ...result, id: planned.id } : result
  } finally {
    // Where it is left to itself, to wait for its end would be to wait for the container's.
    if (result?.how !== 'left') monitor.close()
  }
}

/** Not what somebody else was quicker with, and not what the container itself could not be made for. */
function isOfStart(error: MinictrError): boolean {
  const failed = failedStep(error)
  return !(error instanceof LostRaceError) && (failed === undefined || isUndone(failed))
}

function isUndone({ failure, rollback }: StepError): boolean {
  return failure.step.lasts === 'run' && rollback.failed.length === 0
}

/**
 * What keeps a container from being started, in the plan already or before it was made, does not keep it from being made, as with
 * Docker. Throws what does; where there is no plan for it either, what was met first.
 */
async function makeOnly(
  startError: MinictrError,
  options: RunOptions,
  settings: RunSettings,
  { observer, image, warn, writeId }: Making,
): Promise<RunResult> {
  const planned = await planRun(options, settings, image, 'create').catch(() => {
    throw startError
  })
  warn(planned.warnings)
  writeId(planned.id)
  const failed = { how: 'failed', id: planned.id, error: startError } as const
  if (options.remove) return failed
  const { makeContainer } = await import('./create.ts')
  const monitor = Monitor.spawn({ stdin: 'ignore' })
  try {
    await makeContainer(planned, settings, monitor, { observer, startError })
    return failed
  } finally {
    monitor.close()
  }
}

/** With --interactive the input is attached, whatever else --attach names. */
function attachmentOf({ attach, interactive, detachKeys, signalProxy }: RunOptions): Attachment {
  const has = (stream: 'stdout' | 'stderr') => attach === undefined || attach.includes(stream)
  return {
    stdin: interactive,
    stdout: has('stdout'),
    stderr: has('stderr'),
    detachKeys,
    signalProxy,
  }
}
