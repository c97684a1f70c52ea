// The file system of a container, from outside: what its processes see while it runs; what they would see, volumes
// included, while it does not.

import { closeSync } from 'node:fs'
import { parseMountOptions } from '../runtime/mount-options.ts'
import type { Op } from '../runtime/op.ts'
import { callOf } from '../runtime/ops.ts'
import { type Mount, overlayOf, type Spec } from '../runtime/spec.ts'
import { mountSteps } from '../runtime/steps/mounts.ts'
import { overlaySteps } from '../runtime/steps/overlay.ts'
import { createUserNamespaceStep, hasUserNamespace, slotIfMapped } from '../runtime/steps/user-namespace.ts'
import { errnoOf } from '../system/errno.ts'
import { MinictrError } from '../system/error.ts'
import { type Executor, spawnExecutor } from '../system/executor.ts'
import { hostFacts } from '../system/host-facts.ts'
import { isRunning } from '../system/process-identity.ts'
import { bindSourceTypes } from './bind-sources.ts'
import { withContainerLock } from './container-lock.ts'
import { openTree } from './rooted.ts'
import { type Container, containerPaths, NoSuchContainerError, type Roots, readContainer } from './state.ts'

export type ContainerTree = {
  /** The tree's root, open. */
  root: number
  executor: Executor
  close(): Promise<void>
}

/**
 * Opens it, as the container is now; while it is opened nobody starts, ends or removes the container. Throws
 * NoSuchContainerError where it has gone, MinictrError where it cannot be mounted.
 */
export async function openContainerTree(roots: Roots, { id, name }: Container): Promise<ContainerTree> {
  const { executor, pid, close } = spawnExecutor()
  try {
    const root = await withContainerLock(roots, id, executor, async () => {
      const container = readContainer(roots, id)
      if (!container) throw new NoSuchContainerError(name)
      const running = rootOfRunning(container)
      if (running !== undefined) return running
      await mountStopped(executor, roots, container)
      return openTree(`/proc/${pid}/root${container.spec.root.path}`)
    })
    const closeAll = async () => {
      closeSync(root)
      await close()
    }
    return { root, executor, close: closeAll }
  } catch (error) {
    await close()
    throw error
  }
}

/** Undefined where it does not run: its process may end at any moment, whoever has the lock. */
function rootOfRunning({ status, run }: Container): number | undefined {
  if (status !== 'running' || !run) return undefined
  let root: number
  try {
    root = openTree(`/proc/${run.pid}/root`)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return undefined
    throw error
  }
  // The number may have been given to another process meanwhile.
  if (isRunning(run)) return root
  closeSync(root)
  return undefined
}

/** Mounts as a run would, in a mount namespace that ends with the executor. */
async function mountStopped(executor: Executor, roots: Roots, { id, spec }: Container): Promise<void> {
  const ops = stoppedMountOps(spec, containerPaths(roots, id).directory)
  const slots: string[] = []
  const late = {
    slot: (name: string) => (slots.includes(name) ? slots.indexOf(name) : slots.push(name) - 1),
    text: (text: Parameters<Parameters<typeof callOf>[1]['text']>[0]) => String(text),
  }
  const { answers } = await executor.perform(ops.map(op => callOf(op, late)))
  const last = answers.at(-1)
  const failed = ops[answers.length - 1]
  if (last?.errno === undefined || failed?.tolerate?.includes(last.errno)) return
  throw new MinictrError(
    `the file system of ${id.slice(0, 12)} cannot be mounted: ${failed?.op}: ${last.errno}`,
  )
}

/**
 * The steps of a run that make its root and bring in directories of the host; the kernel's own file systems, and those in
 * memory, are empty or nobody's without a process. A file system in memory below the root keeps what the steps need.
 */
function stoppedMountOps(spec: Spec, directory: string): Op[] {
  const overlay = overlayOf(spec)
  const place = spec.root.path
  const mounts = spec.mounts.flatMap(untied)
  const context = {
    containerId: '',
    directory,
    lockFile: '',
    runDirectory: place,
    files: [],
    directories: [],
    bindSources: bindSourceTypes({ ...spec, mounts }, [], []),
    host: hostFacts(),
    stdin: 'none' as const,
  }
  const steps = [
    ...(hasUserNamespace(spec) ? [createUserNamespaceStep(spec)] : []),
    ...(overlay ? overlaySteps(spec, overlay, place, slotIfMapped(spec)) : []),
    ...mountSteps({ ...spec, mounts }, context),
  ]
  return [
    { op: 'unshare', namespaces: ['mount'] },
    { op: 'mount', source: '', target: '/', flags: ['MS_REC', 'MS_PRIVATE'] },
    { op: 'mount', source: 'tmpfs', target: place, type: 'tmpfs', flags: [], data: 'mode=711' },
    ...steps.flatMap(({ ops }) => ops),
  ]
}

/** For so short a time no mount need be tied to the host's. */
function untied(mount: Mount): Mount[] {
  const { options = [], type } = mount
  const isTying = (option: string) => /^r?(?:slave|shared)$/.test(option)
  if (!parseMountOptions(options).bind && type !== 'overlay') return []
  return [{ ...mount, options: options.filter(option => !isTying(option)) }]
}
