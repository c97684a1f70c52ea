// A container's state, as files anyone can read: what it is in <root>/containers/<id>, its process in <run-root>/<id>.

import { existsSync } from 'node:fs'
import { Journal } from '../runtime/journal.ts'
import type { Spec } from '../runtime/spec.ts'
import { MinictrError } from '../system/error.ts'
import { identifyChild, isRunning, type ProcessIdentity } from '../system/process-identity.ts'
import { ifWritable, readIfThere, readJson, replaceFile } from './json-file.ts'
import type { ContainerRecord } from './record.ts'

export type Roots = { root: string; runRoot: string }

/** The process of a running container. */
export type RunState = ProcessIdentity & { startedAtMs: number }

/** How the process ended, as the monitor wrote it down; a status of null was seen by nobody. `signal` is its number. */
export type ExitRecord = {
  exitStatus: number | null
  signal: number | null
  finishedAtMs: number
  /** The kernel killed a process of it for want of memory. */
  isOutOfMemory?: true
}

/** Why the last start failed. It counts until one succeeds. */
export type StartError = {
  /** What Docker's engine says of it: 127, 126 or 128. */
  exitStatus: number
  message: string
  failedAtMs: number
}

/** What has become of the container so far; there from its first start on. */
export type Lifecycle = {
  startedAtMs: number
  /** When the end and the failure happened that were written down before this start, which makes them void. */
  formerEndMs?: number
  formerErrorMs?: number
  /** How often its restart policy has started it again since somebody did. */
  restartCount: number
  /** How long was waited before the last of these starts. */
  restartDelayMs?: number
  /** Somebody stopped it: `unless-stopped` leaves it so. */
  isStoppedByUser: boolean
  /** Somebody has stopped it to start it again at once: it does not go with this end, whatever --rm says. */
  isRestarting?: true
  /** It was stopped with the machine: its restart policy is asked again when that has booted. */
  isShutDown?: boolean
  /** Why its restart policy could not start it: it is not tried again. */
  restartError?: string
}

/** Until when a container waits that its restart policy will start again, for how long in all, and the process that waits. */
export type RestartWait = ProcessIdentity & { untilMs: number; delayMs: number }

export type Container = {
  id: string
  name: string
  record: ContainerRecord
  /** Its OCI configuration, read when it is first asked for. */
  readonly spec: Spec
  /** One that is paused runs. */
  status: 'created' | 'running' | 'restarting' | 'exited'
  run?: RunState
  /** Missing where it ended and nobody saw how. Where it could not be started since, the status is that of the attempt. */
  exit?: ExitRecord
  lifecycle?: Lifecycle
  startError?: StartError
}

/** Where everything of one container lies. */
export function containerPaths(roots: Roots, id: string) {
  const directory = `${roots.root}/containers/${id}`
  const runDirectory = `${roots.runRoot}/${id}`
  return {
    directory,
    config: `${directory}/config.json`,
    record: `${directory}/container.json`,
    lifecycle: `${directory}/lifecycle.json`,
    exitRecord: `${directory}/exit.json`,
    log: `${directory}/json.log`,
    startError: `${directory}/start-error.json`,
    /** The health of the last run that ended. */
    lastHealth: `${directory}/health.json`,
    /** Held by whoever starts, ends, changes or removes the container. */
    lock: `${directory}/lock`,
    runDirectory,
    runState: `${runDirectory}/state.json`,
    /** What the probes of this run have found out; missing before the first. */
    health: `${runDirectory}/health.json`,
    /** Beside the run directory, which is another one at each start. */
    restartWait: `${runDirectory}.restarting.json`,
    /** Where its monitor listens for those who attach; gone as soon as the end is recorded. */
    socket: `${runDirectory}/attach.sock`,
    /** Locked by whoever stops it and will clean up after it: the monitor then starts nobody who does. */
    cleaner: `${runDirectory}/cleaner`,
    /** What was planned of an exec that runs whatever it is given, with standard input or without. */
    keptExec: (isInteractive: boolean) => `${runDirectory}/exec${isInteractive ? '-interactive' : ''}.kept`,
    /** How the container is stopped, as planned when it was started. */
    keptStop: `${runDirectory}/stop.kept`,
    nameFile: (name: string) => `${roots.root}/names/${name}`,
  }
}

/** There is none of that name or id, or none any more. */
export class NoSuchContainerError extends MinictrError {
  constructor(text: string, remedy = 'It was removed just now.') {
    super(`No such container: ${text}`, { remedy })
  }
}

/** Records that the container runs: durably that it was started, and its process until the machine goes down. */
export function writeRunState(
  roots: Roots,
  id: string,
  { pid, parentPid }: { pid: number; parentPid: number },
  lifecycle: Lifecycle,
): void {
  const paths = containerPaths(roots, id)
  // Also of one that has ended already, whose death is yet to be told. Nothing may be left of it at all.
  const identity = identifyChild(pid, parentPid) ?? { pid, startTimeTicks: '' }
  // Before the other: whoever reads that it was started is to find its process, or would take it for one that has ended.
  replaceFile(paths.runState, { ...identity, startedAtMs: lifecycle.startedAtMs } satisfies RunState)
  replaceFile(paths.lifecycle, lifecycle)
}

/** Records that the container ended without anybody seeing how: a status is never invented. */
export function recordUnknownExit(roots: Roots, id: string): void {
  const record: ExitRecord = { exitStatus: null, signal: null, finishedAtMs: Date.now() }
  // That there is no record says the same, but for the time.
  ifWritable(() => replaceFile(containerPaths(roots, id).exitRecord, record))
}

/**
 * The container of exactly this id. A directory without a whole container.json, which is written last, is a container that
 * is being made, or never was: not one yet.
 */
export function readContainer(roots: Roots, id: string): Container | undefined {
  const paths = containerPaths(roots, id)
  // The record comes last: the directory goes at once, so that with it there all before was read of the container as it is.
  const lifecycle = readIfThere<Lifecycle>(paths.lifecycle)
  const run = lifecycle && readIfThere<RunState>(paths.runState)
  const startError = errorSince(lifecycle, readIfThere<StartError>(paths.startError))
  const readExit = () => lifecycle && exitSince(lifecycle, readIfThere<ExitRecord>(paths.exitRecord))
  let ended = readExit()
  const status = statusOf(roots, id, { lifecycle, run, exit: ended })
  // It may have ended between the two: what is seen to be over is written down.
  if (run && !ended && status !== 'running') ended = readExit()
  const exit = lifecycle && startError ? exitOfAttempt(startError, ended) : ended
  const record = readJson<ContainerRecord>(paths.record)
  if (!record) return undefined
  let spec: Spec | undefined
  return {
    id,
    name: record.name,
    record,
    get spec() {
      spec ??= readSpec(roots, id, record.name)
      return spec
    },
    status,
    ...(run && { run }),
    ...(exit && { exit }),
    ...(lifecycle && { lifecycle }),
    ...(startError && { startError }),
  }
}

/** Takes no paths: `spec` would keep them in memory, of every container of a long list. */
function readSpec(roots: Roots, id: string, name: string): Spec {
  const { config, directory } = containerPaths(roots, id)
  const spec = readJson<Spec>(config)
  if (spec) return spec
  if (!existsSync(directory)) throw new NoSuchContainerError(name)
  throw new MinictrError(`${config} is missing or damaged`, {
    remedy: `\`minictr rm ${name}\` removes what is left of the container.`,
  })
}

function statusOf(
  roots: Roots,
  id: string,
  { lifecycle, run, exit }: Pick<Container, 'lifecycle' | 'run' | 'exit'>,
): Container['status'] {
  if (!lifecycle) return 'created'
  if (run && (isRunning(run) || (!exit && isBeingRecorded(roots, id)))) return 'running'
  const wait = readIfThere<RestartWait>(containerPaths(roots, id).restartWait)
  return wait && isRunning(wait) ? 'restarting' : 'exited'
}

/** Whether the monitor, with the end before it, has yet to write down how it was: milliseconds, in which nothing is known. */
function isBeingRecorded(roots: Roots, id: string): boolean {
  const { socket, runDirectory } = containerPaths(roots, id)
  if (!existsSync(socket)) return false
  const monitor = new Journal(runDirectory).owner()
  return monitor !== undefined && isRunning(monitor)
}

/**
 * What a start makes void. Named by its time and not judged by that: a clock may be set back, and then an end comes before its
 * beginning.
 */
export function formerRecords(roots: Roots, id: string): Pick<Lifecycle, 'formerEndMs' | 'formerErrorMs'> {
  const { exitRecord, startError } = containerPaths(roots, id)
  const formerEndMs = readIfThere<ExitRecord>(exitRecord)?.finishedAtMs
  const formerErrorMs = readIfThere<StartError>(startError)?.failedAtMs
  return { ...(formerEndMs && { formerEndMs }), ...(formerErrorMs && { formerErrorMs }) }
}

/** The record that is there may be of the time before the last start. */
function exitSince({ formerEndMs }: Lifecycle, exit: ExitRecord | undefined): ExitRecord | undefined {
  return exit && exit.finishedAtMs !== formerEndMs ? exit : undefined
}

/** One that is there may be of the time before the last start that succeeded. */
function errorSince(lifecycle: Lifecycle | undefined, error: StartError | undefined): StartError | undefined {
  return error && error.failedAtMs !== lifecycle?.formerErrorMs ? error : undefined
}

/** It ended when it ended; but the status that Docker shows is that of the last attempt to start it. */
function exitOfAttempt({ exitStatus, failedAtMs }: StartError, ended: ExitRecord | undefined): ExitRecord {
  return { finishedAtMs: failedAtMs, ...ended, exitStatus, signal: null }
}
