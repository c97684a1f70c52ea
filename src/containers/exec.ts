// exec: one more program in a container that runs. Its monitor is its own: it ends with the program, not with the container.

import { type Observer, type Outcome, perform } from '../runtime/perform.ts'
import { StepError } from '../runtime/step-error.ts'
import { delay } from '../system/delay.ts'
import { MinictrError } from '../system/error.ts'
import { Monitor } from '../system/monitor.ts'
import { isRunning, type ProcessIdentity } from '../system/process-identity.ts'
import { type ExecTeller, execTeller } from './exec-events.ts'
import { type ExecOptions, isKeepable } from './exec-session.ts'
import { type PlannedExec, planExec } from './plan-exec.ts'
import { programError } from './program-error.ts'
import type { Roots } from './state.ts'
import { statusFor } from './unwritten.ts'

/** A second: in looks, since a machine that stands still for so long still has to end what was killed. */
const MOST_LOOKS = 100
const LOOK_AGAIN_MS = 10

/**
 * Starts the program and waits for its end; with `detach` only for its start. Returns its status, 128+n where signal n
 * ended it (137 when the container went), 0 for a detached one, 1 where the keys to leave it were typed. Throws
 * MinictrError: 126 for a program that cannot be started, 127 for one that is not there, 1 for a container that does not
 * run; StepError where the kernel refuses.
 */
export async function execInContainer(
  options: ExecOptions,
  roots: Roots,
  observer?: Observer,
): Promise<number> {
  const monitor = Monitor.ofLauncher() ?? Monitor.spawn({ stdin: options.interactive ? 'inherit' : 'ignore' })
  let isLeft = options.detach
  try {
    const planned = await planExec(options, roots, () => monitor.host)
    const teller = execTeller(planned, options.command, roots)
    const keep = observer ? undefined : () => keepIfPlain(planned, options, roots, monitor)
    const status = await performExec(planned, options, { monitor, teller, observer, keep })
    isLeft ||= status === 'detached'
    if (status !== 'detached') return status
    process.stderr.write('read escape sequence\n')
    return 1
  } finally {
    // Where it is left to itself, to wait for its end would be to wait for the program's.
    if (isLeft) monitor.disconnect()
    else monitor.close()
  }
}

type ExecCompany = {
  monitor: Monitor
  teller: ExecTeller
  observer: Observer | undefined
  /** Keeps what was planned, once it has come true. */
  keep: (() => Promise<void>) | undefined
}

/** Most have flags, and need not load what keeps the others. */
async function keepIfPlain(
  planned: PlannedExec,
  options: ExecOptions,
  roots: Roots,
  { host }: Monitor,
): Promise<void> {
  if (!isKeepable(options)) return
  const { keepExec } = await import('./kept-exec.ts')
  keepExec(planned, options, roots, host)
}

async function performExec(
  planned: PlannedExec,
  options: ExecOptions,
  { monitor, teller, observer, keep }: ExecCompany,
): Promise<number | 'detached'> {
  const { host } = monitor
  const outcome = await beginExec(planned, monitor, observer)
  if ('quit' in outcome) return 0
  teller.starts()
  if (options.detach) {
    monitor.tell('client_streams', 0, 0, 0)
    await host.perform([{ name: 'watch', args: [outcome.pid] }])
    return 0
  }
  if (options.tty) monitor.tell('resize')
  if (options.tty && options.interactive) {
    monitor.tell('detach_keys', options.detachKeys)
    monitor.tell('raw_terminal')
  }
  monitor.tell('watch', outcome.pid)
  const resize = () => monitor.tell('resize')
  if (options.tty) process.on('SIGWINCH', resize)
  await keep?.()
  try {
    const end = await monitor.exitOrDetach()
    if (end === 'detached') return end
    teller.died(end.status)
    return statusFor(end)
  } finally {
    process.off('SIGWINCH', resize)
  }
}

/** Starts the program; to watch it is what is left to do. Throws as `execInContainer`. */
export async function beginExec(
  planned: PlannedExec,
  monitor: Monitor,
  observer?: Observer,
): Promise<Outcome> {
  // Its process is one of the container's, which cannot end before all of them are reaped.
  monitor.tell('reap_early')
  const executors = { host: monitor.host, container: monitor.init }
  return await perform(planned.plan, executors, undefined, observer).catch(async error => {
    throw error instanceof StepError ? await asExecError(error, planned) : error
  })
}

/** What is the user's matter, in Docker's words; the error itself where it is not. */
async function asExecError(error: StepError, { id, container, spec }: PlannedExec): Promise<Error> {
  const { op, errno } = error.failure
  if (isOfAnEnd(error) || (errno === 'EPIPE' && (await endsNow(container)))) {
    return new MinictrError(`Container ${id} is not running`, {
      remedy: 'It ended just now.',
      exitStatus: 1,
      cause: error,
    })
  }
  if (op.op === 'chdir') {
    const reason = { ENOENT: 'no such file or directory', ENOTDIR: 'not a directory' }[errno] ?? errno
    return new MinictrError(`chdir to cwd ("${spec.process.cwd}"): ${reason}`, {
      remedy: 'Choose another --workdir: exec makes none. Nothing was started.',
      exitStatus: errno === 'ENOENT' ? 127 : 126, // as moby's daemon/errors.go reads runc's words
      cause: error,
    })
  }
  return programError(error) ?? Object.assign(error, { exitStatus: 126 })
}

/** What only a container that has ended gives as an answer. */
function isOfAnEnd({ failure: { op, errno } }: StepError): boolean {
  if (op.op === 'open_process' || op.op === 'setns') return errno === 'ESRCH'
  if (op.op === 'write_file') return errno === 'ENOENT' || errno === 'ENODEV'
  return op.op === 'fork' && errno === 'ENOMEM'
}

/** A dying PID 1 takes all others with it first: whoever was killed so sees it end a moment later. */
async function endsNow(container: ProcessIdentity): Promise<boolean> {
  for (let look = 0; look < MOST_LOOKS; look++) {
    if (!isRunning(container)) return true
    await delay(LOOK_AGAIN_MS)
  }
  return false
}
