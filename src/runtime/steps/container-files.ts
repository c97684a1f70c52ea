// The container's directory: its OCI configuration, its writable layer, and the few files that name the network.

import type { PlanContext } from '../context.ts'
import { containerLock } from '../late-values.ts'
import type { Op, Slot } from '../op.ts'
import { inverses } from '../ops.ts'
import type { OverlaySource, Spec } from '../spec.ts'
import type { Step } from '../step.ts'
import { hostStep } from './container-step.ts'
import { makeParent } from './parent.ts'
import { containerRoot } from './user-namespace.ts'

/** Steps that claim the name and write what the container keeps between its starts. */
export function containerFileSteps(
  spec: Spec,
  context: PlanContext,
  overlay: OverlaySource | undefined,
): Step[] {
  const { directory, nameFile } = context
  const steps: Step[] = []
  if (nameFile) steps.push(claimNameStep(nameFile, context.containerId))
  const keeps = imageOps(context, overlay)
  if (keeps.length > 0) {
    steps.push(
      hostStep(
        'keep-image',
        'Whoever removes images asks all containers which layers they use, and this one tells only by its config.json, two steps from here. Until then a lock, which starting containers share, keeps the layers; that they are still there is seen once it is held.',
        keeps,
        'run',
        [],
      ),
    )
  }
  steps.push(
    hostStep(
      'create-container-directory',
      'Everything that outlives the process lies in one directory: the OCI configuration, the writable layer, how it ended. Removing the container is removing this directory. Closed to the host’s other users, who could otherwise start a setuid program of the container’s.',
      [makeParent(directory), ...closedDirectory(directory, spec), ...directoryOps(spec, context, overlay)],
      'container',
      removeDirectory(directory),
    ),
    lockContainerStep(context),
    hostStep(
      'write-container-files',
      'config.json is the OCI runtime specification of this container: the contract between engine and runtime, as in Docker. container.json is what the engine itself remembers; it comes last, and makes this directory a container. hosts, hostname and resolv.conf are bind-mounted later, because the image cannot know them.',
      [
        ...context.files.map(
          (file): Op => ({
            op: 'write_file',
            path: file.path,
            content: file.content,
            how: 'create',
            mode: file.mode,
          }),
        ),
        ...(keeps.length > 0 ? [{ op: 'close', slot: imageLock } satisfies Op] : []),
      ],
      'container',
      [],
    ),
  )
  return steps
}

/** Takes a name for a container, unless another one has it. */
export function claimNameStep(nameFile: string, containerId: string): Step {
  const claim = claimName(nameFile, containerId)
  return hostStep(
    'claim-name',
    'A name belongs to one container. Creating a file exclusively is atomic, so of two commands that want the same name one gets EEXIST. Before its files are written, so that a lost race costs nothing.',
    [makeParent(nameFile), claim],
    'container',
    inverses([claim]),
  )
}

/** Gives a name back that the container had until now. */
export function giveBackNameStep(nameFile: string, containerId: string): Step {
  const step = hostStep(
    'give-back-name',
    'The old name is free for others. Only now that the new one is written down, and only if the file still holds this id.',
    inverses([claimName(nameFile, containerId)]),
    'container',
  )
  return { ...step, undo: { kernel: 'A name that was given back may be another container’s by now.' } }
}

/** A file of the container with its text of now and the one that is to replace it. */
export type Replacement = {
  path: string
  before: string
  after: string
  /** Where it is written first; beside it, with `.new` behind its name, where nothing is said. */
  aside?: string
  /** 0600 where nothing is said. */
  mode?: number
}

/** Replaces files of the container, each at once: whoever reads one sees the old text or the new one. */
export function replaceFilesStep(id: string, why: string, files: Replacement[]): Step {
  const replace = ({ path, aside = `${path}.new`, mode = 0o600 }: Replacement, content: string): Op[] => [
    { op: 'write_file', path: aside, content, how: 'create', mode },
    { op: 'rename', path: aside, to: path },
  ]
  return hostStep(
    id,
    why,
    files.flatMap(file => replace(file, file.after)),
    'container',
    files.toReversed().flatMap(file => replace(file, file.before)),
  )
}

/**
 * Whoever starts a container, ends it, changes it or removes it has its lock meanwhile. The kernel gives the lock back when its
 * holder dies, so that no crash leaves a container locked. `tolerate`: what is no reason not to go on.
 */
export function lockContainerStep({ lockFile }: Pick<PlanContext, 'lockFile'>, tolerate?: ['ENOENT']): Step {
  const step = hostStep(
    'lock-container',
    'Other commands may want to start, stop, change or remove this container at this moment. They wait for its lock, which is held until the program runs, or all is done; the kernel gives it back when its holder dies, however it dies.',
    [
      {
        op: 'lock',
        path: lockFile,
        waitMs: containerLockWaitMs,
        as: containerLock,
        ...(tolerate && { tolerate }),
      },
    ],
    'run',
  )
  return { ...step, undo: { kernel: 'The kernel gives the lock back when its holder ends.' } }
}

/** Gives the lock back that a plan took with its first descriptor. */
export const unlockContainer: Op = { op: 'close', slot: containerLock, tolerate: ['EBADF'] }

/** For a start by the restart policy: behind the lock, since whoever stops the container has that while he forbids the start. */
export function confirmRestartStep({ restartFile }: Pick<PlanContext, 'restartFile'>): Step[] {
  if (restartFile === undefined) return []
  return [
    hostStep(
      'confirm-restart',
      'This start was decided when the container ended, some time ago. Whoever has stopped, started or removed the container since has taken this file away, with the lock in his hand: now that the lock is ours, what we see stays true until the program runs.',
      [{ op: 'access', paths: [restartFile] }],
      'run',
      [],
    ),
  ]
}

/** Undoing a run takes milliseconds; killing what is left of many processes may take a second. */
const containerLockWaitMs = 10_000

const imageLock: Slot = 'image-lock'

/** Removing a large image takes seconds. */
const imageLockWaitMs = 10_000

function imageOps({ storeDirectory }: PlanContext, overlay: OverlaySource | undefined): Op[] {
  if (storeDirectory === undefined || !overlay) return []
  return [
    { op: 'lock_shared', path: storeDirectory, waitMs: imageLockWaitMs, as: imageLock },
    { op: 'access', paths: overlay.lower },
  ]
}

/** What removing a container undoes: the same ops as when making it fails half-way. */
export function removalSteps(
  directory: string,
  nameFile: string,
  containerId: string,
): { step: string; undo: Op[] }[] {
  return [
    { step: 'create-container-directory', undo: removeDirectory(directory) },
    { step: 'claim-name', undo: inverses([claimName(nameFile, containerId)]) },
  ]
}

/** Open to root only, and with a user namespace to pass through for the group of the container's root. */
function closedDirectory(path: string, spec: Spec): Op[] {
  const owner = containerRoot(spec)
  if (!owner) return [{ op: 'mkdir', path, mode: 0o700 }]
  return [
    { op: 'mkdir', path, mode: 0o710 },
    { op: 'lchown', path, uid: 0, gid: owner.gid },
  ]
}

function removeDirectory(directory: string): Op[] {
  return [{ op: 'remove_tree', path: directory, tolerate: ['ENOENT'] }]
}

/** Open to root only: giving it back takes a lock of the file, which whoever may open it could hold for ever. */
function claimName(path: string, containerId: string): Op {
  return { op: 'write_file', path, content: containerId, how: 'exclusive', mode: 0o600 }
}

function directoryOps(spec: Spec, context: PlanContext, overlay: OverlaySource | undefined): Op[] {
  const ops: Op[] = [{ op: 'mkdir', path: spec.root.path, mode: 0o755 }]
  if (overlay) {
    ops.push(
      { op: 'mkdir', path: overlay.upper, mode: 0o755 },
      { op: 'mkdir', path: overlay.work, mode: 0o700 },
    )
    const owner = containerRoot(spec)
    if (owner) ops.push({ op: 'lchown', path: overlay.upper, ...owner })
  }
  for (const { path, mode, uid, gid } of context.directories) {
    // The missing source of a bind mount may be made by another container's run as well, just now.
    ops.push({ op: 'mkdir', path, mode, tolerate: ['EEXIST'] })
    if (uid !== undefined && gid !== undefined) ops.push({ op: 'lchown', path, uid, gid })
    // mkdir(2) leaves these bits out, and a change of the owner takes them away.
    if (mode & 0o6000) ops.push({ op: 'chmod', path, mode })
  }
  return ops
}
