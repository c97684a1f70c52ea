// Starting a container's program: the monitor is told what to keep, the plan is performed, and whoever started it sees the
// program and waits for it, or leaves it to itself.

import { rmSync } from 'node:fs'
import { Journal } from '../runtime/journal.ts'
import { type Observer, perform } from '../runtime/perform.ts'
import type { Spec } from '../runtime/spec.ts'
import { StepError } from '../runtime/step-error.ts'
import type { MinictrError } from '../system/error.ts'
import type { Monitor } from '../system/monitor.ts'
import { identify, type ProcessIdentity } from '../system/process-identity.ts'
import { endRun } from './end.ts'
import { recordContainerEvent } from './events-of-container.ts'
import { probeCommand, probeTiming } from './health-check.ts'
import { LostRaceError } from './lost-race.ts'
import { END_COMMAND, HEALTH_COMMAND, ownCommand, runArguments } from './own-commands.ts'
import { type PlannedContainer, type RunSettings, workingDirectoryError } from './plan-run.ts'
import { programError } from './program-error.ts'
import { forwardSignals } from './signals.ts'
import { recordStartError, runStatus } from './start-error.ts'
import { containerPaths, formerRecords, type Lifecycle, writeRunState } from './state.ts'
import { statusFor } from './unwritten.ts'

/** How whoever starts a container is connected with it. */
export type Attachment = {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  /** What is typed at the terminal to leave the container to itself; nothing where it is empty. */
  detachKeys: Uint8Array
  /** Signals to this process go to the container. */
  signalProxy: boolean
}

/** How it went: `leftovers` are lines about what could not be cleaned up. */
export type LaunchResult =
  | { how: 'ended'; exitStatus: number; leftovers: string[] }
  /** It runs, and nobody waits for it here. */
  | { how: 'left' }
  /** Somebody who watched the steps did not go on. */
  | { how: 'quit'; leftovers: string[] }
  /** The container is there, and could not be started: that is written down. */
  | { how: 'failed'; error: MinictrError }

/** A start by the restart policy: the how manyth it is since somebody started it, and how long was waited for it. */
export type PolicyRestart = { count: number; delayMs: number }

export type LaunchOptions = {
  /** Undefined: the container is left to itself as soon as it runs. */
  attachment?: Attachment
  /** The plan makes the container as well; else its first step, which takes the container's lock, is done already. */
  isNew?: boolean
  restart?: PolicyRestart
  observer?: Observer
  /** Called as soon as the program runs, before anything of it can be seen. */
  onRunning?(): void
}

/**
 * Performs the plan and connects this process with the container as asked. Where a step fails all that the run has made is undone.
 * That is the result for a container that is there, or made by then; of others nothing is left, and the error is thrown:
 * StepError, or MinictrError in words of its own. One for a program that cannot be executed or is not there has the status 126
 * or 127.
 */
export async function launch(
  planned: PlannedContainer,
  settings: RunSettings,
  monitor: Monitor,
  { attachment, isNew = false, restart, observer, onRunning }: LaunchOptions,
): Promise<LaunchResult> {
  const { id, record, spec, plan } = planned
  const paths = containerPaths(settings, id)
  const owner = identify(monitor.pid)
  const journal = new Journal(paths.runDirectory, owner)
  const tty = spec.process.terminal === true
  prepareMonitor(monitor, owner, planned, settings, attachment !== undefined)
  const signals = attachment && forwardSignals(monitor, { signalProxy: attachment.signalProxy, tty })
  try {
    const executors = { host: monitor.host, container: monitor.init }
    const outcome = await perform(plan, executors, journal, observer, { from: isNew ? 0 : 1 })
    if ('quit' in outcome) {
      monitor.tell('on_orphan', [], [])
      return { how: 'quit', leftovers: outcome.leftovers }
    }
    monitor.tell('listen', paths.socket)
    connect(monitor, attachment, tty)
    // Before its output can be seen: whoever sees it may ask for the container, or kill this process.
    const program = { pid: outcome.pid, parentPid: monitor.pid }
    writeRunState(settings, id, program, { ...newLifecycle(restart), ...formerRecords(settings, id) })
    if (restart) rmSync(paths.restartWait, { force: true })
    if (isNew) recordContainerEvent(settings, planned, 'create')
    if (record.networks.length > 0) await tellOfNetworks(settings, id)
    recordContainerEvent(settings, planned, 'start')
    onRunning?.()
    if (!attachment) {
      await monitor.host.perform([{ name: 'watch', args: [outcome.pid] }])
      await keepStop(settings, id, monitor)
      monitor.disconnect()
      return { how: 'left' }
    }
    monitor.tell('watch', outcome.pid)
    signals?.start(outcome.pid, record.name)
    const end = await monitor.exitOrDetach()
    if (end === 'detached') {
      process.stderr.write('read escape sequence\n')
      monitor.disconnect()
      return { how: 'left' }
    }
    const { failed } = await endRun(settings, id, monitor.host, { owner, exitStatus: end.status, observer })
    monitor.tell('on_orphan', [], [])
    return { how: 'ended', exitStatus: statusFor(end), leftovers: failed }
  } catch (error) {
    if (!(error instanceof StepError)) throw error
    // All that can be undone is; after any other error the monitor sees to it.
    monitor.tell('on_orphan', [], [])
    const ofNetwork = record.networks.length > 0 && (await networkErrorOf(error, settings))
    const told = ofNetwork || asUsersError(error, planned)
    if (told instanceof LostRaceError || !isThere(planned, error, isNew)) throw told
    if (isNew) recordContainerEvent(settings, planned, 'create')
    // The lock is still held. Of a start by the policy, whoever waited for it keeps what went wrong.
    if (!restart) recordStartError(settings, id, told)
    return { how: 'failed', error: told }
  } finally {
    signals?.stop()
  }
}

/** What is not wholly undone the next command undoes, and with it a container that has never run. */
function isThere({ plan }: PlannedContainer, { failure, rollback }: StepError, isNew: boolean): boolean {
  const isMade = failure.index >= (plan.keptFrom ?? Number.POSITIVE_INFINITY)
  return !isNew || (isMade && rollback.failed.length === 0)
}

/** What runs in the foreground is mostly over soon, and pays nothing for its stop. */
async function keepStop(settings: RunSettings, id: string, { host }: Monitor): Promise<void> {
  const { keepStop } = await import('./kept-stop.ts')
  // The container runs, whatever comes of this: without it a stop is planned when somebody asks for it.
  await keepStop(settings, id, host).catch(() => {})
}

async function tellOfNetworks(settings: RunSettings, id: string): Promise<void> {
  const { recordNetworkEvents } = await import('./network-events.ts')
  recordNetworkEvents(settings, id, 'connect')
}

async function networkErrorOf(error: StepError, settings: RunSettings): Promise<MinictrError | undefined> {
  const { networkError } = await import('./network-errors.ts')
  return networkError(error, settings)
}

/** What the monitor needs to know for the time when nobody is there to tell it. */
function prepareMonitor(
  monitor: Monitor,
  owner: ProcessIdentity | undefined,
  { id, record, spec }: PlannedContainer,
  settings: RunSettings,
  isAttached: boolean,
): void {
  const paths = containerPaths(settings, id)
  const { argv, environment } = ownCommand(settings, END_COMMAND, id, ...runArguments(owner))
  monitor.tell('on_orphan', argv, environment)
  monitor.tell('cleaner', paths.cleaner)
  if (spec.linux.namespaces.some(joinsPids)) monitor.tell('reap_early')
  if (record.health && probeCommand(record.health)) {
    const probe = ownCommand(settings, HEALTH_COMMAND, id)
    const { intervalMs, startPeriodMs, startIntervalMs } = probeTiming(record.health)
    const timesMs = [intervalMs, startPeriodMs, startIntervalMs].map(Math.round)
    monitor.tell('probe', probe.argv, probe.environment, ...timesMs)
  }
  const { driver, maxBytes = 0, maxFiles } = record.log
  if (driver === 'json-file') monitor.tell('log_to', paths.log, maxBytes, maxFiles)
  // A container that goes at its end has no status to be asked for: who waits for it is told. Writing it takes milliseconds.
  if (!record.removeAtExit || !isAttached) monitor.tell('record_exit', paths.exitRecord)
}

/** The container whose PID namespace it is cannot end before its processes there are reaped. */
function joinsPids({ type, path }: Spec['linux']['namespaces'][number]): boolean {
  return type === 'pid' && path !== undefined
}

function connect(monitor: Monitor, attachment: Attachment | undefined, tty: boolean): void {
  const { stdin = false, stdout = false, stderr = false, detachKeys } = attachment ?? {}
  if (!(stdin && stdout && stderr))
    monitor.tell('client_streams', Number(stdin), Number(stdout), Number(stderr))
  if (!attachment || !tty) return
  // Once more, for a terminal that standard input has, not standard output, and for a change meanwhile.
  monitor.tell('resize')
  if (!stdin) return
  if (detachKeys && detachKeys.length > 0) monitor.tell('detach_keys', detachKeys)
  monitor.tell('raw_terminal')
}

function newLifecycle(restart: PolicyRestart | undefined): Lifecycle {
  return {
    startedAtMs: Date.now(),
    restartCount: restart?.count ?? 0,
    ...(restart && { restartDelayMs: restart.delayMs }),
    isStoppedByUser: false,
  }
}

/** What is the user's matter is told in Docker's words, and with its statuses. */
export function asUsersError(error: StepError, { spec, record }: PlannedContainer): MinictrError {
  const { op, errno, step } = error.failure
  if (step.id === 'claim-name' && errno === 'EEXIST') {
    return new LostRaceError(
      `Conflict. The container name "/${record.name}" was taken by another container just now`,
      { remedy: 'Choose another --name.', cause: error },
    )
  }
  if (step.id.startsWith('find-volume')) {
    return new LostRaceError('a volume was removed just now', { remedy: 'Try again.', cause: error })
  }
  const { cwd } = spec.process
  if (op.op === 'mkdir' && op.path === cwd && (errno === 'EEXIST' || errno === 'ENOTDIR')) {
    return workingDirectoryError(cwd, error)
  }
  error.exitStatus ??= runStatus(error)
  return programError(error) ?? error
}
