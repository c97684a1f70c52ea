// A container's state, as files anyone can read: what it is in <root>/containers/<id>, its process in <run-root>/<id>.

import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { annotation, type Spec } from '../runtime/spec.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import { identify, isRunning, type ProcessIdentity } from '../system/process-identity.ts'

export type Roots = { root: string; runRoot: string }

/** The process of a running container. */
export type RunState = ProcessIdentity & { startedAtMs: number }

/** How the process ended, as the monitor wrote it down; a status of null was seen by nobody. `signal` is its number. */
export type ExitRecord = { exitStatus: number | null; signal: number | null; finishedAtMs: number }

export type Container = {
  id: string
  name: string
  spec: Spec
  /** `unknown`: it ran, and ended without anybody seeing how. */
  status: 'created' | 'running' | 'exited' | 'unknown'
  run?: RunState
  exit?: ExitRecord
}

/** Where everything of one container lies. */
export function containerPaths(roots: Roots, id: string) {
  const directory = `${roots.root}/containers/${id}`
  return {
    directory,
    config: `${directory}/config.json`,
    exitRecord: `${directory}/exit.json`,
    runDirectory: `${roots.runRoot}/${id}`,
    runState: `${roots.runRoot}/${id}/state.json`,
    nameFile: (name: string) => `${roots.root}/names/${name}`,
  }
}

/** Records the process of a started container. */
export function writeRunState(roots: Roots, id: string, pid: number): void {
  const { runDirectory, runState } = containerPaths(roots, id)
  const identity = identify(pid)
  // A process that has ended already needs no record: the monitor records its exit.
  if (!identity) return
  const state: RunState = { ...identity, startedAtMs: Date.now() }
  mkdirSync(runDirectory, { recursive: true, mode: 0o711 })
  writeFileSync(`${runState}.tmp`, JSON.stringify(state))
  renameSync(`${runState}.tmp`, runState)
}

/** Records that the container ended without anybody seeing how: a status is never invented. */
export function recordUnknownExit(roots: Roots, id: string): void {
  const { exitRecord } = containerPaths(roots, id)
  const record: ExitRecord = { exitStatus: null, signal: null, finishedAtMs: Date.now() }
  writeFileSync(`${exitRecord}.tmp`, JSON.stringify(record))
  renameSync(`${exitRecord}.tmp`, exitRecord)
}

/** All containers of these roots, newest first. */
export function listContainers(roots: Roots): Container[] {
  return containerIds(roots)
    .flatMap(id => readContainer(roots, id) ?? [])
    .sort((a, b) => createdAt(b).localeCompare(createdAt(a)))
}

/**
 * The container of this name, id, or unique beginning of an id, as Docker resolves it: an exact name wins over a
 * beginning. Throws MinictrError where there is none or more than one.
 */
export function findContainer(roots: Roots, text: string): Container {
  const ids = containerIds(roots)
  const exact = ids.find(id => id === text) ?? idOfName(roots, text)
  const matching = exact ? [exact] : /^[0-9a-f]+$/.test(text) ? ids.filter(id => id.startsWith(text)) : []
  if (matching.length > 1) {
    throw new MinictrError(`Multiple containers found with provided prefix: ${text}`, {
      remedy: 'Give more characters of the id; `minictr ps -a --no-trunc` shows them whole.',
    })
  }
  const container = matching[0] && readContainer(roots, matching[0])
  if (container) return container
  throw new MinictrError(`No such container: ${text}`, {
    remedy: '`minictr ps -a` lists the containers there are.',
  })
}

/** A running container by name or id, for joining its namespaces. Throws MinictrError where there is none. */
export function findRunning(roots: Roots, text: string): { pid: number; spec: Spec } {
  const { status, run, spec } = findContainer(roots, text)
  if (status === 'running' && run) return { pid: run.pid, spec }
  throw new MinictrError(`cannot join namespaces of container ${text}: it is not running`, {
    remedy: '`minictr ps` lists the running containers.',
    exitStatus: 125,
  })
}

function containerIds(roots: Roots): string[] {
  try {
    return readdirSync(`${roots.root}/containers`)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

function idOfName(roots: Roots, name: string): string | undefined {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) return undefined
  return readText(`${roots.root}/names/${name}`)?.trim()
}

/** The container of exactly this id. A directory without a whole config.json is a container that is being made, or never was: not one yet. */
export function readContainer(roots: Roots, id: string): Container | undefined {
  const paths = containerPaths(roots, id)
  const spec = readJson<Spec>(paths.config)
  if (!spec) return undefined
  const run = readJson<RunState>(paths.runState)
  const exit = readJson<ExitRecord>(paths.exitRecord)
  const status = run && isRunning(run) ? 'running' : exit ? 'exited' : run ? 'unknown' : 'created'
  return {
    id,
    name: spec.annotations[annotation.name] ?? '',
    spec,
    status,
    ...(run && { run }),
    ...(exit && { exit }),
  }
}

function createdAt(container: Container): string {
  return container.spec.annotations[annotation.createdAt] ?? ''
}

function readJson<T>(path: string): T | undefined {
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
