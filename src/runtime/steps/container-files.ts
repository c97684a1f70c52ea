// The container's directory: its OCI configuration, its writable layer, and the few files that name the network.

import type { PlanContext } from '../context.ts'
import type { Op } from '../op.ts'
import { inverses } from '../ops.ts'
import type { OverlaySource, Spec } from '../spec.ts'
import type { Step } from '../step.ts'
import { hostStep } from './container-step.ts'
import { containerRoot } from './user-namespace.ts'

/** Steps that claim the name and write what the container keeps between runs. */
export function containerFileSteps(
  spec: Spec,
  context: PlanContext,
  overlay: OverlaySource | undefined,
): Step[] {
  const { directory, nameFile } = context
  const steps: Step[] = []
  if (nameFile) {
    steps.push(
      hostStep(
        'claim-name',
        'A name belongs to one container. Creating a file exclusively is atomic, so of two commands that want the same name one gets EEXIST. First of all, so that a lost race costs nothing.',
        [makeParent(nameFile), claimName(nameFile, context.containerId)],
        'container',
        inverses([claimName(nameFile, context.containerId)]),
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
    hostStep(
      'write-container-files',
      'config.json is the OCI runtime specification of this container: the contract between engine and runtime, as in Docker. hosts, hostname and resolv.conf are bind-mounted later, because the image cannot know them.',
      context.files.map(file => ({
        op: 'write_file',
        path: file.path,
        content: file.content,
        how: 'create',
        mode: file.mode,
      })),
      'container',
      [],
    ),
  )
  return steps
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

/** The directory shared by all containers; it stays. */
function makeParent(path: string): Op {
  return { op: 'mkdir', path: path.slice(0, path.lastIndexOf('/')), mode: 0o711, parents: true }
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

function claimName(path: string, containerId: string): Op {
  return { op: 'write_file', path, content: containerId, how: 'exclusive', mode: 0o644 }
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
