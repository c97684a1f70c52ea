// Finding containers: all of them, those that run, and the one that a name, an id or the beginning of one means.

import { readdirSync } from 'node:fs'
import type { Spec } from '../runtime/spec.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import { readText } from './json-file.ts'
import { type Container, containerPaths, NoSuchContainerError, type Roots, readContainer } from './state.ts'

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

/**
 * The container of this name, id, or unique beginning of an id, as Docker resolves it: an exact name wins over a
 * beginning. Throws NoSuchContainerError where there is none, MinictrError where there is more than one.
 */
export function findContainer(roots: Roots, text: string): Container {
  const container = lookUpContainer(roots, text)
  if (container) return container
  throw new NoSuchContainerError(text, '`minictr ps -a` lists the containers there are.')
}

/** The same, or undefined where there is none. Throws MinictrError where there is more than one, or no text. */
export function lookUpContainer(roots: Roots, text: string): Container | undefined {
  if (text === '') throw new MinictrError('invalid container name or ID: value is empty')
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
  return namesIn(`${roots.root}/containers`).filter(isContainerId)
}

/** Whether a name in the directory of containers is one's id, and not what is on its way there or from there. */
export function isContainerId(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name)
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

/** What is no name, or one that no file can have, is nobody's. */
function idOfName(roots: Roots, name: string): string | undefined {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/.test(name)) return undefined
  return claimantOf(roots, name)
}

/** The id of the container that has claimed a name, be it made yet or not. */
export function claimantOf(roots: Roots, name: string): string | undefined {
  return readText(containerPaths(roots, '').nameFile(name))?.trim()
}
