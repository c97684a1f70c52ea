// run: a container is made and started by one plan. The monitor is started first, by the launcher even before Node, so that
// it gets ready while Node still plans.

import type { Image } from '../images/store.ts'
import type { Observer } from '../runtime/perform.ts'
import { Monitor } from '../system/monitor.ts'
import { withCidFile } from './cid-file.ts'
import { type Attachment, type LaunchResult, launch } from './launch.ts'
import { untilNothingIsLost } from './lost-race.ts'
import type { RunOptions } from './options.ts'
import { planRun, type RunSettings } from './plan-run.ts'
import { warnOnce } from './warnings.ts'

/**
 * Makes a container and runs its program: in the foreground to its end, or with `detach` until it runs. `onRunning` is called
 * with the container's id as soon as it does.
 *
 * The status is the program's own, or 128+n when signal n ended it. Throws StepError when a step fails (everything is
 * undone by then), MinictrError with status 126 or 127 when the program cannot be executed or is not there, 125 else.
 */
export async function runContainer(
  options: RunOptions,
  settings: RunSettings,
  { observer, image, onRunning }: { observer?: Observer; image?: Image; onRunning?(id: string): void } = {},
): Promise<LaunchResult> {
  const warn = warnOnce()
  return await withCidFile(options.cidFile, writeId =>
    untilNothingIsLost(async () => {
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
        return result
      } finally {
        // Where it is left to itself, to wait for its end would be to wait for the container's.
        if (result?.how !== 'left') monitor.close()
      }
    }),
  )
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
