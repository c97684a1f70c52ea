// A container's state, as files anyone can read: what it is in <root>/containers/<id>, its process in <run-root>/<id>.

import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Journal } from '../runtime/journal.ts'
import type { Spec } from '../runtime/spec.ts'
import { at, errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import { identifyUnreaped, isRunning, type ProcessIdentity } from '../system/process-identity.ts'
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

/** What has become of the container so far; there from its first start on. */
export type Lifecycle = {
  startedAtMs: number
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
  /** Missing where it ended and nobody saw how. */
  exit?: ExitRecord
  lifecycle?: Lifecycle
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
    nameFile: (name: string) => `${roots.root}/names/${name}`,
  }
}

/** Records that the container runs: durably that it was started, and its process until the machine goes down. */
export function writeRunState(roots: Roots, id: string, pid: number, lifecycle: Lifecycle): void {
  const paths = containerPaths(roots, id)
  replaceFile(paths.lifecycle, lifecycle)
  // Also of one that has ended already, whose death is yet to be told. Without its monitor nothing may be left of it at all.
  const identity = identifyUnreaped(pid) ?? { pid, startTimeTicks: '' }
  replaceFile(paths.runState, { ...identity, startedAtMs: lifecycle.startedAtMs } satisfies RunState)
}

/** Records that the container ended without anybody seeing how: a status is never invented. */
export function recordUnknownExit(roots: Roots, id: string): void {
  const record: ExitRecord = { exitStatus: null, signal: null, finishedAtMs: Date.now() }
  // That there is no record says the same, but for the time.
  ifWritable(() => replaceFile(containerPaths(roots, id).exitRecord, record))
}

/** Does what can be left undone on a disk that is full, or read-only by now. Returns why it was not done, if it was not. */
export function ifWritable(act: () => void): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return (error as Error).message
  }
}

/**
 * Writes JSON beside the file and renames it: a reader sees the old one or the new one. For whoever has the container's lock.
 * Throws the error of node:fs, with the path in its message.
 */
export function replaceFile(path: string, content: object): void {
  const aside = `${path}.tmp`
  try {
    writeFileSync(aside, JSON.stringify(content), { mode: 0o600 })
    renameSync(aside, path)
  } catch (error) {
    rmSync(aside, { force: true })
    throw at(path, error)
  }
}

/** All containers of these roots, newest first. */
export function listContainers(roots: Roots): Container[] {
  return readAll(roots, containerIds(roots))
}

/** Those that run or are about to be restarted, newest first: the run root names them, so that no other is looked at. */
export function listActive(roots: Roots): Container[] {
  const ids = namesIn(roots.runRoot).flatMap(
    name => /^([0-9a-f]{64})(?:\.restarting\.json)?$/.exec(name)?.[1] ?? [],
  )
  return readAll(roots, [...new Set(ids)]).filter(
    ({ status }) => status === 'running' || status === 'restarting',
  )
}

function readAll(roots: Roots, ids: string[]): Container[] {
  return ids
    .flatMap(id => readContainer(roots, id) ?? [])
    .sort((a, b) =>
      a.record.createdAt < b.record.createdAt ? 1 : a.record.createdAt > b.record.createdAt ? -1 : 0,
    )
}

/** There is none of that name or id, or none any more. */
export class NoSuchContainerError extends MinictrError {
  constructor(text: string, remedy = 'It was removed just now.') {
    super(`No such container: ${text}`, { remedy })
  }
}

/**
 * The container of this name, id, or unique beginning of an id, as Docker resolves it: an exact name wins over a
 * beginning. Throws NoSuchContainerError where there is none, MinictrError where there is more than one.
 */
export function findContainer(roots: Roots, text: string): Container {
  const container = lookUpContainer(roots, text)
  if (container) return container
  throw new NoSuchContainerError(text, '`minictr ps -a` lists the containers there are.')
}

/** The same, or undefined where there is none. Throws MinictrError where there is more than one. */
export function lookUpContainer(roots: Roots, text: string): Container | undefined {
  const ids = containerIds(roots)
  const name = text.replace(/^\//, '')
  const exact = ids.find(id => id === text) ?? idOfName(roots, name)
  const matching = exact ? [exact] : /^[0-9a-f]+$/.test(text) ? ids.filter(id => id.startsWith(text)) : []
  if (matching.length > 1) {
    throw new MinictrError(`Multiple containers found with provided prefix: ${text}`, {
      remedy: 'Give more characters of the id; `minictr ps -a --no-trunc` shows them whole.',
    })
  }
  return matching[0] === undefined ? undefined : readContainer(roots, matching[0])
}

/** A running container by name or id, for joining its namespaces. Throws MinictrError where there is none. */
export function findRunning(roots: Roots, text: string): { id: string; pid: number; spec: Spec } {
  const { id, status, run, spec } = findContainer(roots, text)
  if (status === 'running' && run) return { id, pid: run.pid, spec }
  throw new MinictrError(`cannot join namespaces of container ${text}: it is not running`, {
    remedy: '`minictr ps` lists the running containers.',
  })
}

/** The same for a container that need not run before the one that joins it is started: its PID may be 0 meanwhile. */
export function findJoinable(roots: Roots, text: string): { id: string; pid: number; spec: Spec } {
  const { id, run, spec } = findContainer(roots, text)
  return { id, pid: run?.pid ?? 0, spec }
}

/** The ids of all directories of containers, also of those that are just being made. */
export function containerIds(roots: Roots): string[] {
  return namesIn(`${roots.root}/containers`).filter(name => /^[0-9a-f]{64}$/.test(name))
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

function idOfName(roots: Roots, name: string): string | undefined {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) return undefined
  return claimantOf(roots, name)
}

/** The id of the container that has claimed a name, be it made yet or not. */
export function claimantOf(roots: Roots, name: string): string | undefined {
  return readText(containerPaths(roots, '').nameFile(name))?.trim()
}

/**
 * The container of exactly this id. A directory without a whole container.json, which is written last, is a container that
 * is being made, or never was: not one yet.
 */
export function readContainer(roots: Roots, id: string): Container | undefined {
  const paths = containerPaths(roots, id)
  // The record comes last: the directory goes at once, so that with it there all before was read of the container as it is.
  const lifecycle = readJson<Lifecycle>(paths.lifecycle)
  const run = lifecycle && readIfThere<RunState>(paths.runState)
  const exit = lifecycle && exitSince(lifecycle, readIfThere<ExitRecord>(paths.exitRecord))
  const status = statusOf(roots, id, { lifecycle, run, exit })
  const record = readJson<ContainerRecord>(paths.record)
  if (!record) return undefined
  let spec: Spec | undefined
  return {
    id,
    name: record.name,
    record,
    get spec() {
      spec ??= readJson<Spec>(paths.config)
      if (spec) return spec
      if (!existsSync(paths.directory)) throw new NoSuchContainerError(record.name)
      throw new MinictrError(`${paths.config} is missing or damaged`, {
        remedy: `\`minictr rm ${record.name}\` removes what is left of the container.`,
      })
    },
    status,
    ...(run && { run }),
    ...(exit && { exit }),
    ...(lifecycle && { lifecycle }),
  }
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

/** The record that is there may be of the time before the last start. */
function exitSince({ startedAtMs }: Lifecycle, exit: ExitRecord | undefined): ExitRecord | undefined {
  return exit && exit.finishedAtMs >= startedAtMs ? exit : undefined
}

/** The same as `readJson`, for a file that is mostly not there: an error is the dearest way to learn that. */
export function readIfThere<T>(path: string): T | undefined {
  return existsSync(path) ? readJson<T>(path) : undefined
}

/** A file of JSON; undefined where it is missing or not whole. */
export function readJson<T>(path: string): T | undefined {
  const text = readText(path)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH' || errnoOf(error) === 'ENOTDIR')
      return undefined
    throw error
  }
}
